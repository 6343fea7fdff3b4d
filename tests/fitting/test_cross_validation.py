"""The folds and the ridge regression of both fits as scikit-learn sees them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import (
    GridSearchCV,
    LeaveOneGroupOut,
    cross_val_predict,
    cross_val_score,
    learning_curve,
)

from lpsnmr.errors import InputError
from lpsnmr.fitting.choose import descend
from lpsnmr.fitting.evaluation import parts_of, rms
from lpsnmr.fitting.folds import BlockFold
from lpsnmr.fitting.group_ridge import GroupRidge, GroupRidgeRegressor
from lpsnmr.reference import split_blocks

GROUPS = np.array([0, 0, 1, 1, 1, 3, 3])
STRENGTHS = np.array([0.3, 2.0, 9.9, 0.05])


def case(seed=3, rows=60):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(rows, 7)) * rng.uniform(0.1, 5, 7)
    return features, features @ rng.normal(size=7) + rng.normal(size=rows), rng.integers(0, 9, size=rows)


@given(
    labels=st.lists(st.integers(0, 9), min_size=8, max_size=60).filter(lambda x: len(set(x)) >= 4),
    n_folds=st.integers(2, 4),
    seed=st.integers(0, 5),
)
def test_the_splitter_gives_the_folds_of_split_blocks(labels, n_folds, seed):
    labels = np.array(labels)
    splits = list(BlockFold(n_folds, seed).split(np.zeros((len(labels), 1)), groups=labels))
    for (training, held), (same_training, same_held) in zip(
        splits, split_blocks(labels, n_folds, seed), strict=True
    ):
        np.testing.assert_array_equal(training, same_training)
        np.testing.assert_array_equal(held, same_held)


def test_folds_are_those_of_earlier_fits():
    """Written down from the code before there was a splitter: fits of old data must repeat."""
    labels = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 4, 4, 5])
    held = [h.tolist() for _, h in BlockFold(3, 0).split(labels, groups=labels)]
    assert held == OLD_FOLDS
    names = np.array(list("aaabbccccdeef"))
    assert [h.tolist() for _, h in BlockFold(3, 0).split(names, groups=names)] == OLD_FOLDS


OLD_FOLDS = [[5, 6, 7, 8, 12], [0, 1, 2, 9], [3, 4, 10, 11]]


def test_the_tools_of_scikit_learn_take_it():
    features, values, blocks = case()
    splitter = BlockFold(4, seed=2)
    assert splitter.get_n_splits() == 4
    assert repr(splitter) == "BlockFold(n_splits=4, seed=2)"
    regressor = GroupRidgeRegressor(GROUPS, STRENGTHS)
    scores = cross_val_score(regressor, features, values, groups=blocks, cv=splitter)
    by_hand = [
        clone(regressor).fit(features[t], values[t]).score(features[h], values[h])
        for t, h in split_blocks(blocks, 4, 2)
    ]
    np.testing.assert_array_equal(scores, by_hand)
    sizes, _, held_out = learning_curve(
        Ridge(), features, values, groups=blocks, cv=splitter, train_sizes=[0.5, 1.0]
    )
    assert held_out.shape == (2, 4)
    assert sizes[1] < len(values)
    search = GridSearchCV(Ridge(), {"alpha": [1e-3, 1.0, 1e3]}, cv=splitter).fit(
        features, values, groups=blocks
    )
    assert search.best_params_["alpha"] < 1e3
    for bad, words in ((BlockFold(99), "number of blocks"), (BlockFold(1), "got 1")):
        with pytest.raises(InputError, match=words):
            list(bad.split(features, values, blocks))
    with pytest.raises(InputError, match="expected groups"):
        list(splitter.split(features, values))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("room", [None, 1000])
def test_held_out_predictions_are_those_of_scikit_learns_ridge(weighted, room):
    """On features scaled so that one strength serves all groups; ours subtract sums, theirs fit each fold."""
    features, values, blocks = case()
    weights = np.random.default_rng(1).uniform(0.2, 3.0, len(values)) if weighted else None
    splitter = BlockFold(4)
    splits = list(splitter.split(features, groups=blocks))
    ridge = GroupRidge(features, values, GROUPS, [held for _, held in splits], weights, room)
    scaled = features * ridge.scale / np.sqrt(STRENGTHS[GROUPS])
    expected = cross_val_predict(
        Ridge(alpha=1.0, fit_intercept=False, solver="cholesky"), scaled, values, groups=blocks, cv=splitter,
        params={"sample_weight": weights},
    )  # fmt: skip
    np.testing.assert_allclose(ridge.held_out(STRENGTHS), expected, rtol=1e-9, atol=1e-12)
    whole = Ridge(alpha=1.0, fit_intercept=False, solver="cholesky").fit(scaled, values, weights)
    np.testing.assert_allclose(
        features @ ridge.weights(STRENGTHS), whole.predict(scaled), rtol=1e-9, atol=1e-12
    )


def test_rows_a_few_at_a_time_give_the_same_regression():
    features, values, _ = case(rows=300)
    rows = [np.arange(0, 130), np.arange(130, 300)]
    whole = GroupRidge(features, values, GROUPS, rows)
    pieces = GroupRidge(features, values, GROUPS, rows, room=0)
    for name in ("weights", "held_out", "held_out_spread", "score"):
        np.testing.assert_allclose(
            getattr(pieces, name)(STRENGTHS), getattr(whole, name)(STRENGTHS), rtol=1e-9
        )
    part = GroupRidge(features, values, GROUPS, [rows[0]], room=0)
    alone = GroupRidge(features[:130], values[:130], GROUPS, [rows[0]])
    np.testing.assert_allclose(part.weights(STRENGTHS), alone.weights(STRENGTHS), rtol=1e-9)


def test_one_group_left_out_is_what_scikit_learn_leaves_out():
    labels = np.array(["b", "a", "c", "a", "b"])
    held = [h.tolist() for _, h in LeaveOneGroupOut().split(labels, groups=labels)]
    assert held == [[1, 3], [0, 4], [2]]


def test_the_search_descends_and_looks_nowhere_twice():
    seen = []

    def score(strengths):
        seen.append(tuple(np.round(np.log10(strengths), 3)))
        return 1.0 + float(np.sum((np.log10(strengths) - [1.0, -2.0]) ** 2))

    steps = []
    found = descend(
        score, np.array([0.1, 0.1]), [[0, 1], [0], [1]], (10**0.5, 10**-0.5), (1e-5, 1e4), steps.append
    )
    np.testing.assert_allclose(np.log10(found), [1.0, -2.0], atol=1e-9)
    assert len(set(seen)) == len(seen) < len(steps) + 1
    assert steps == sorted(steps, reverse=True)


def test_parts_and_root_mean_squares():
    parts = parts_of(["x", "y", "x"], ["r", "r", "s"])
    assert {k: v.tolist() for k, v in parts.items()} == {
        "all": [True] * 3,
        "phase:x": [True, False, True],
        "phase:y": [False, True, False],
        "run:r": [True, True, False],
        "run:s": [False, False, True],
    }
    assert rms(np.array([3.0, 4.0])) == pytest.approx(np.sqrt(12.5))
    assert np.isnan(rms(np.zeros(0)))

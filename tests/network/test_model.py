"""Balance, conservation and diffusion of networks, with and without a memory of one jump."""

import numpy as np
import pytest

from lpsnmr.errors import InputError
from lpsnmr.network import JumpNetwork
from lpsnmr.network.memory import encounter_share, memory_test, with_memory


def lattice(size, rate, a=3.0):
    """Return a periodic simple cubic lattice."""
    index = np.arange(size**3).reshape(size, size, size)
    edges, vectors = [], []
    for axis in range(3):
        edges.append(np.stack([index, np.roll(index, -1, axis)], -1).reshape(-1, 2))
        vectors.append(np.tile(a * np.eye(3)[axis], (size**3, 1)))
    edges = np.concatenate(edges)
    return network_of(size**3, edges, np.concatenate(vectors), [rate], np.zeros(len(edges), dtype=np.int64))


def network_of(n, edges, vectors, rates, edge_class):
    return JumpNetwork(
        tuple(str(i) for i in range(n)), np.zeros(n, dtype=np.int64),
        np.random.default_rng(0).normal(size=(n, 5)),
        np.zeros(1), np.zeros(1), np.asarray(edges), edge_class, np.zeros(len(rates)), np.log(rates), vectors,
    )  # fmt: skip


def chain(rates, a=2.0):
    return network_of(
        2, [[0, 1], [1, 0]], np.array([[a, 0, 0], [a, 0, 0]]), rates, np.array([0, 1], dtype=np.int64)
    )


@pytest.mark.parametrize("temperature", [120.0, 300.0, 900.0])
def test_detailed_balance_whatever_the_parameters(temperature):
    rng = np.random.default_rng(1)
    edges = np.array([(0, 1), (1, 2), (2, 3), (0, 3), (0, 3)])
    network = JumpNetwork(
        tuple("abcd"), np.array([0, 1, 2, 1]), np.zeros((4, 5)), rng.normal(size=3) * 0.2, rng.normal(size=3),
        edges, np.array([0, 1, 1, 2, 0]), rng.normal(0.4, 0.1, 3), np.full(3, 29.0),
    )  # fmt: skip
    p, matrix = network.occupations(temperature), network.rate_matrix(temperature)
    flux = p[:, None] * matrix
    np.testing.assert_allclose(flux, flux.T, rtol=1e-12)
    np.testing.assert_allclose(matrix.sum(axis=1), 0.0, atol=1e-12 * np.abs(matrix).max())
    np.testing.assert_allclose(p @ matrix, 0.0, atol=1e-10 * np.abs(flux).max())
    assert p.sum() == pytest.approx(1.0)


def test_cubic_lattice_diffuses_with_rate_times_square():
    tensor = lattice(3, 1e10).diffusion_cm2_per_s(300.0)
    np.testing.assert_allclose(tensor, np.eye(3) * 1e10 * 9.0 * 1e-16, rtol=1e-10, atol=1e-16)


def test_chain_of_two_barriers_diffuses_as_resistances_in_series():
    tensor = chain([1e9, 1e11]).diffusion_cm2_per_s(300.0)
    expected = 4.0**2 / 2.0 / (1e-9 + 1e-11) * 1e-16
    assert tensor[0, 0] == pytest.approx(expected, rel=1e-10)
    assert np.abs(tensor[1:, 1:]).max() == 0.0


def test_backward_share_of_a_lattice_is_one_over_neighbours():
    assert lattice(3, 1e10).backward_share(300.0) == pytest.approx(1.0 / 6.0)


def test_memory_keeps_jumps_and_brings_ions_back():
    network = lattice(3, 1e9)
    share = encounter_share(network, 300.0, 0.5)
    assert share == pytest.approx((0.5 - 1 / 6) / (5 / 6))
    modes, tensors = with_memory(network, 300.0, share, 5e10)
    n, e = network.n_sites, len(network.edges)
    root = np.sqrt(modes.occupations)
    matrix = (modes.vectors * modes.rates) @ modes.vectors.T / root[:, None] * root[None, :]
    jump = matrix[n + np.arange(e), n + e + np.arange(e)]
    closing = matrix[n + np.arange(e), network.edges[:, 0]]
    np.testing.assert_allclose(jump / (jump + closing), share, rtol=1e-6)
    flux = 2.0 * (modes.occupations[n : n + e] * jump).sum()
    assert flux == pytest.approx(network.jump_rate(300.0), rel=1e-6)
    by_site = modes.occupations[:n].copy()
    np.add.at(by_site, network.edges[:, 0], modes.occupations[n : n + e])
    np.add.at(by_site, network.edges[:, 1], modes.occupations[n + e :])
    np.testing.assert_allclose(by_site, network.occupations(300.0), rtol=1e-12)
    assert tensors.shape == (n + 2 * e, 5)


def test_memory_is_found_where_it_is():
    network = lattice(2, 1e9)
    chain_share = network.backward_share(300.0)
    assert memory_test(network, 300.0, round(chain_share * 10_000), 10_000).passed
    assert not memory_test(network, 300.0, 5_000, 10_000).passed


def test_no_vectors_no_diffusion():
    with pytest.raises(InputError, match="no vectors"):
        JumpNetwork.equal_exchange(np.zeros((2, 5)), 1.0).diffusion_cm2_per_s(300.0)


def test_bad_edges_are_named():
    with pytest.raises(InputError, match="edges: expected indices from 0 to 1, got 2"):
        network_of(2, [[0, 2]], np.zeros((1, 3)), [1.0], np.zeros(1, dtype=np.int64))

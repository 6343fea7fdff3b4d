"""A small basis shared by the tests of the potential."""

import pytest

from lpsnmr.potential import BasisSettings


@pytest.fixture(scope="session")
def small_basis():
    """A basis with unlike cutoffs, a triple left out, and few columns."""
    return BasisSettings(
        two_body_cutoff=5.0,
        two_body_spacing=0.4,
        three_body_cutoff=3.5,
        three_body_spacing=0.8,
        three_body_cutoffs=(("Li", "Li", 0.0), ("S", "S", 3.0)),
        triple_cutoffs=(("S", "P", "S", 2.8, 4.5), ("P", "Li", "P", 0.0, 0.0)),
    )

"""Frequencies, units and the powder average."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpsnmr.efg.quadrupolar import frequency_correlation, frequency_rad_s_per_efg, quadrupolar_frequency
from lpsnmr.efg.tensors import components_to_tensor, principal_values, quadrupolar_coupling_hz
from lpsnmr.errors import InputError
from lpsnmr.nuclides import known_nuclides, nuclide, usual_nuclide
from lpsnmr.units import EFG_AU_V_PER_ANGSTROM2

components = st.lists(st.floats(-2, 2), min_size=5, max_size=5).map(np.array)


def sphere(order=8):
    """Directions (m, 3) and weights of a product rule: exact for polynomials to degree 2 order − 1."""
    x, weight = np.polynomial.legendre.leggauss(order)
    phi = 2 * np.pi * np.arange(2 * order) / (2 * order)
    x, phi = (a.ravel() for a in np.meshgrid(x, phi, indexing="ij"))
    radius = np.sqrt(1 - x * x)
    directions = np.stack([radius * np.cos(phi), radius * np.sin(phi), x], axis=1)
    return directions, np.repeat(weight / weight.sum() / (2 * order), 2 * order)


@settings(max_examples=50, deadline=None)
@given(v=components, w=components, nucleus=st.sampled_from(["7Li", "6Li", "27Al"]))
def test_powder_average_by_numerical_integration(v, w, nucleus):
    directions, weights = sphere()
    tensors = components_to_tensor(np.stack([v, w]))
    omega = quadrupolar_frequency(tensors[:, None], directions[None], nucleus)
    numerical = (omega[0] * omega[1]) @ weights
    scale = frequency_rad_s_per_efg(nucleus) ** 2
    assert frequency_correlation(v @ w, nucleus) == pytest.approx(numerical, rel=1e-10, abs=1e-12 * scale)
    assert omega[0] @ weights == pytest.approx(0.0, abs=1e-12 * abs(frequency_rad_s_per_efg(nucleus)))


def test_coupling_constant_by_hand():
    """0.02 a.u. of V_zz at 7Li: C_Q = −40.1 mb · 0.02 · 234.9647 MHz/(b a.u.) = −188.4417 kHz."""
    v_zz = 0.02 * EFG_AU_V_PER_ANGSTROM2
    assert quadrupolar_coupling_hz(v_zz) == pytest.approx(-0.0401 * 0.02 * 234.9647e6, rel=1e-6)
    # SI, from the definition: e Q V / h with e = 1.602176634e-19 C, h = 6.62607015e-34 J s
    si = 1.602176634e-19 * -40.1e-31 * (v_zz * 1e20) / 6.62607015e-34
    assert quadrupolar_coupling_hz(v_zz) == pytest.approx(si, rel=1e-8)
    # field along z: ω_Q = π C_Q for I = 3/2, the satellites lie C_Q/2 from the centre
    tensor = np.diag([-0.5, -0.5, 1.0]) * v_zz
    assert quadrupolar_frequency(tensor, [0.0, 0.0, 1.0]) == pytest.approx(np.pi * si, rel=1e-8)


@settings(max_examples=50, deadline=None)
@given(c=components, theta=st.floats(0, np.pi), phi=st.floats(0, 2 * np.pi))
def test_angular_form(c, theta, phi):
    """ω = ½ δ (3 cos²θ − 1 + η sin²θ cos 2φ) in the principal frame, |V_zz| ≥ |V_yy| ≥ |V_xx|."""
    tensor = components_to_tensor(c)
    v_zz, eta, axes = principal_values(tensor)
    local = np.array([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)])
    delta = np.pi * quadrupolar_coupling_hz(v_zz)
    expected = 0.5 * delta * (3 * np.cos(theta) ** 2 - 1 + eta * np.sin(theta) ** 2 * np.cos(2 * phi))
    assert quadrupolar_frequency(tensor, axes @ local) == pytest.approx(
        float(expected), rel=1e-9, abs=1e-6 * (abs(delta) + 1)
    )


@pytest.mark.parametrize(("nucleus", "factor"), [("7Li", 1 / 2), ("6Li", 3 / 4), ("27Al", 3 / 20)])
def test_spin_factors_by_hand(nucleus, factor):
    """ν = 3 C_Q (2m − 1)/(4 I (2I − 1)) of the innermost satellite, from E_m ∝ 3m² − I(I + 1)."""
    from lpsnmr.units import quadrupolar_coupling_hz_per_efg

    coupling = quadrupolar_coupling_hz_per_efg(nucleus)
    assert frequency_rad_s_per_efg(nucleus) == pytest.approx(2 * np.pi * factor * coupling)
    spin = nuclide(nucleus).spin
    m = 1.0 if spin == 1 else 1.5

    def level(k):
        return coupling * (3 * k * k - spin * (spin + 1)) / (4 * spin * (2 * spin - 1))

    assert level(m) - level(m - 1) == pytest.approx(factor * coupling)


def test_table_of_nuclei():
    table = known_nuclides()
    for name, of in table.items():
        assert of.spin >= 1
        assert (2 * of.spin).is_integer()
        mass = int(name.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        assert mass % 2 == 0 or (2 * of.spin) % 2 == 1  # of odd mass: half-integer
        assert of.central_share + sum(share for _, share in of.satellites) == pytest.approx(1.0)
    for element in {of.element for of in table.values()}:
        assert sum(of.usual for of in table.values() if of.element == element) == 1
        assert usual_nuclide(element).name in table


def test_unknown_nucleus():
    with pytest.raises(InputError, match="8Li"):
        frequency_correlation(1.0, "8Li")

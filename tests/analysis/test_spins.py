"""Spins other than 3/2: satellites, recovery and second-order shift against independent ways to them."""

import numpy as np
import pytest

from lpsnmr.analysis.nmr.recovery import level_rates, recovery
from lpsnmr.analysis.nmr.relaxation import relaxation_rate
from lpsnmr.analysis.nmr.second_order import central_shift, central_shift_hz, isotropic_shift_hz
from lpsnmr.analysis.nmr.spectra import powder_spectrum
from lpsnmr.efg.tensors import tensor_to_components
from lpsnmr.errors import InputError
from lpsnmr.nuclides import known_nuclides, larmor_mhz_at, nuclide, with_own
from lpsnmr.sampling.orientations import lebedev_half_sphere
from lpsnmr.units import quadrupolar_coupling_hz_per_efg

ISSUE = (
    "2H 6Li 7Li 11B 14N 17O 23Na 25Mg 27Al 33S 35Cl 37Cl 39K 43Ca 45Sc 67Zn 71Ga 87Rb 93Nb 127I 139La"
).split()
V = np.array([[0.7, 0.2, -0.4], [0.2, -1.1, 0.3], [-0.4, 0.3, 0.4]])


def spin_matrices(spin):
    m = spin - np.arange(round(2 * spin) + 1)
    up = np.diag(np.sqrt((spin - m[1:]) * (spin + m[1:] + 1)), 1)
    return 0.5 * (up + up.T), -0.5j * (up - up.T), np.diag(m)


def hamiltonian_hz(name, tensor, larmor_hz):
    """The whole Zeeman and quadrupolar Hamiltonian, field along z."""
    of = nuclide(name)
    axes = spin_matrices(of.spin)
    scale = quadrupolar_coupling_hz_per_efg(name) / (2 * of.spin * (2 * of.spin - 1))
    return larmor_hz * axes[2] + scale * sum(
        tensor[a, b] * axes[a] @ axes[b] for a in range(3) for b in range(3)
    )


def test_common_nuclei_are_there_and_other_programs_agree():
    isotope = pytest.importorskip("mrsimulator.spin_system.isotope").Isotope
    table = known_nuclides()
    assert set(ISSUE) <= table.keys()
    for name in table:
        other = isotope(symbol=name)
        assert table[name].spin == other.spin
        # tables differ by shielding corrections and by the source; signs must not
        assert table[name].gamma_mhz_per_t == pytest.approx(other.gyromagnetic_ratio, rel=0.02)


def test_own_moment_and_spin():
    own = nuclide(with_own("8Li", 0.0326, 2.0))
    assert (own.element, own.spin, own.quadrupole_barn) == ("Li", 2.0, 0.0326)
    assert nuclide("7Li Q=-0.04").gamma_mhz_per_t == nuclide("7Li").gamma_mhz_per_t
    for bad in ("8Li Q=0.03", "7Li I=0.5", "7Li q=1", "7Li Q", "Li7 Q=1 I=1"):
        with pytest.raises(InputError):
            nuclide(bad)
    with pytest.raises(InputError, match="magnetogyric"):
        larmor_mhz_at(9.4, "8Li Q=0.03 I=2")


@pytest.mark.parametrize("name", ["14N", "7Li", "10B", "27Al", "43Ca", "93Nb", "50V"])
def test_satellites_are_the_lines_of_the_whole_hamiltonian(name):
    """Exact diagonalisation in a very high field: lines and |⟨m|I_x|m−1⟩|² of all transitions."""
    larmor = 1e12
    energies, states = np.linalg.eigh(hamiltonian_hz(name, V, larmor))
    lines = np.diff(energies) - larmor
    ix = states.conj().T @ spin_matrices(nuclide(name).spin)[0] @ states
    strengths = np.abs(np.diag(ix, 1)) ** 2
    strengths = strengths / strengths.sum()
    of, c_q = nuclide(name), quadrupolar_coupling_hz_per_efg(name) * V[2, 2]
    first = 3 * (1 if not of.half_integer else 2) / (4 * of.spin * (2 * of.spin - 1)) * c_q
    expected = [(0.0, of.central_share)] * of.half_integer
    expected += [(s * k * first, w / 2) for k, w in of.satellites for s in (1, -1)]
    found = sorted(zip(lines.tolist(), strengths.tolist(), strict=True))
    for (line, strength), (exact, share) in zip(found, sorted(expected), strict=True):
        assert line == pytest.approx(exact, abs=2e-4 * abs(c_q) + 5)
        assert strength == pytest.approx(share, rel=1e-5)


def test_spectrum_has_all_satellites():
    v = tensor_to_components(V)[None, None]
    for name in ("7Li", "27Al", "10B", "93Nb"):
        spectrum = powder_spectrum(v, 1.0, name)
        step = spectrum.frequency_khz[1] - spectrum.frequency_khz[0]
        of = nuclide(name)
        assert spectrum.satellites.sum() * step == pytest.approx(1 - of.central_share, rel=1e-6)
        moment = (spectrum.frequency_khz**2 * spectrum.satellites).sum() * step
        m1 = 3 * (2 if of.half_integer else 1) / (4 * of.spin * (2 * of.spin - 1))
        nu = m1 * quadrupolar_coupling_hz_per_efg(name) * 1e-3
        exact = sum(w * k**2 for k, w in of.satellites) * nu**2 * (2 / 15) * np.trace(V @ V)
        assert moment == pytest.approx(exact, rel=5e-3)


def test_recovery_of_spin_one_and_three_halves_in_closed_form():
    j1, j2 = 7.0, 2.0
    shares, rates = recovery(j1, j2, "6Li")
    assert shares == pytest.approx([1.0])
    assert rates[0] == pytest.approx(float(relaxation_rate(j1, j2, "6Li")))
    shares, rates = recovery(j1, j2, "7Li")  # (2/5)(J1 + 4 J2) at the begin: 2 J1 and 2 J2
    assert shares == pytest.approx([0.2, 0.8])
    assert rates == pytest.approx([2 * j1, 2 * j2])


@pytest.mark.parametrize("name", ["14N", "23Na", "10B", "17O", "45Sc", "93Nb"])
def test_recovery_begins_with_the_general_rate(name):
    """1/T1 of the begin holds for every spin; in fast motion there is one exponential."""
    shares, rates = recovery(5.0, 1.0, name)
    assert shares.sum() == pytest.approx(1.0)
    assert shares @ rates == pytest.approx(float(relaxation_rate(5.0, 1.0, name)))
    fast = float(relaxation_rate(3.0, 3.0, name))
    assert recovery(3.0, 3.0, name)[1] == pytest.approx(fast)


@pytest.mark.parametrize("name", ["23Na", "27Al"])
def test_level_rates_are_those_of_perturbation_theory(name):
    """|H_mn|² of the Hamiltonian's own matrix, averaged over directions, times 2 J/Tr V²."""
    directions, weights = lebedev_half_sphere(17)
    exact = np.zeros((round(2 * nuclide(name).spin) + 1,) * 2)
    for b, weight in zip(directions, weights, strict=True):
        x = np.linalg.svd(b[None])[2]
        frame = np.stack([x[1], x[2] * np.sign(np.linalg.det([x[1], x[2], b])), b])
        h = 2 * np.pi * hamiltonian_hz(name, frame @ V @ frame.T, 0.0)
        exact += weight * np.abs(h) ** 2
    # C(0) of the powder for Tr V²: J = C(0) · 1 s
    from lpsnmr.efg.quadrupolar import frequency_correlation

    c0 = float(frequency_correlation(np.trace(V @ V), name))
    found = level_rates(c0, c0, name)
    off = ~np.eye(len(found), dtype=bool)
    assert found[off] == pytest.approx(2 * exact[off], rel=1e-9, abs=1e-6 * found.max())


@pytest.mark.parametrize("name", ["23Na", "27Al", "35Cl", "45Sc"])
def test_second_order_shift_of_the_whole_hamiltonian(name):
    larmor = 4e9  # the third order is far below
    energies = np.linalg.eigvalsh(hamiltonian_hz(name, V, larmor))
    middle = len(energies) // 2
    exact = energies[middle] - energies[middle - 1] - larmor
    found = central_shift_hz(V, np.array([0.0, 0.0, 1.0]), larmor, name)
    assert found == pytest.approx(exact, rel=2e-4)
    directions, weights = lebedev_half_sphere(11)
    mean = sum(w * central_shift_hz(V, b, larmor, name) for b, w in zip(directions, weights, strict=True))
    assert isotropic_shift_hz(V, larmor, name) == pytest.approx(mean, rel=1e-12)


@pytest.mark.parametrize(("name", "field_t"), [("23Na", 9.4), ("27Al", 14.1), ("35Cl", 18.8)])
def test_second_order_line_is_that_of_mrsimulator(name, field_t):
    """First and second moment of the static central line, for the same C_Q, η and Larmor frequency."""
    mrsimulator = pytest.importorskip("mrsimulator")
    isotope = pytest.importorskip("mrsimulator.spin_system.isotope").Isotope
    library = pytest.importorskip("mrsimulator.method.lib")
    v_zz, eta = 6.0, 0.4
    c_q = quadrupolar_coupling_hz_per_efg(name) * v_zz
    system = mrsimulator.SpinSystem(
        sites=[mrsimulator.Site(isotope=name, quadrupolar={"Cq": c_q, "eta": eta})]
    )
    larmor = abs(isotope(symbol=name).gyromagnetic_ratio) * field_t  # MHz, of its own table
    width = 4 * abs(float(isotropic_shift_hz(np.diag([-0.3, -0.7, 1.0]) * v_zz, 1e6 * larmor, name)))
    method = library.BlochDecayCTSpectrum(
        channels=[name], magnetic_flux_density=field_t, rotor_frequency=0,
        spectral_dimensions=[{"count": 4096, "spectral_width": 4 * width}],
    )  # fmt: skip
    simulator = mrsimulator.Simulator(spin_systems=[system], methods=[method])
    simulator.config.integration_density = 60
    simulator.run()
    data = simulator.methods[0].simulation
    x = data.x[0].coordinates.to("ppm").value
    y = np.real(data.y[0].components[0])
    mean = (x * y).sum() / y.sum()
    spread = np.sqrt((x**2 * y).sum() / y.sum() - mean**2)
    tensor = np.diag([-0.5 * (1 - eta), -0.5 * (1 + eta), 1.0]) * v_zz
    directions, weights = lebedev_half_sphere(11)
    found = central_shift(tensor_to_components(tensor)[None, None], directions, weights, larmor, name)
    assert found.isotropic_ppm == pytest.approx(mean, rel=2e-3)
    assert found.width_ppm == pytest.approx(spread, rel=2e-3)


def test_what_a_spin_does_not_have_is_refused():
    with pytest.raises(InputError, match="half-integer"):
        isotropic_shift_hz(V, 1e8, "14N")
    small = tensor_to_components(1e-3 * V)[None, None]
    assert central_shift(small, *lebedev_half_sphere(11), 155.5, "7Li") is None

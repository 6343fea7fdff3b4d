// The kernel against a direct evaluation of the definition, term by term.
#include "core/tests/support/check.h"
#include "core/tests/support/slow_spline.h"

#include "core/ufp/system.h"
#include "core/ufp/uf3_file.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <vector>

using namespace lpsnmr;

namespace {

/// Knots at low + (high - low) (s / spans)^power: uniform for power 1.
///
/// Without the knot before the last span for power 0, so that the others are uniform.
std::vector<double> clamped(double low, double high, int spans, double power = 1.0) {
  std::vector<double> t(3, low);
  const bool gap = power == 0.0;
  if (gap) power = 1.0;
  for (int s = 0; s < spans; ++s)
    if (!gap || s + 1 < spans) t.push_back(low + (high - low) * std::pow(double(s) / spans, power));
  t.insert(t.end(), 4, high);
  return t;
}

/// How the knots of a test file are laid out.
enum class Knots { same, several, gaps, uneven, lengths };

double random_number(std::mt19937 &random) {
  return std::uniform_real_distribution<double>(-1, 1)(random);
}

ufp::Uf3File make_file(std::mt19937 &random, const std::vector<std::string> &elements,
                       Knots knots) {
  const double power = knots == Knots::uneven ? 1.7 : knots == Knots::gaps ? 0.0 : 1.0;
  const double shift = knots == Knots::same ? 0.0 : 0.1;
  ufp::Uf3File file;
  file.name = "test";
  file.units = "metal";
  for (std::size_t a = 0; a < elements.size(); ++a)
    for (std::size_t b = a; b < elements.size(); ++b) {
      ufp::TwoBodyBlock block;
      block.elements = {elements[b], elements[a]}; // the order must not matter
      block.cutoff = 3.0 - shift * double((a + b) % 5);
      block.knots = clamped(0.3, block.cutoff, 6, power);
      for (std::size_t k = 0; k + 4 < block.knots.size(); ++k)
        block.coefficients.push_back(random_number(random));
      file.pairs.push_back(block);
    }
  for (const auto &a : elements)
    for (std::size_t b = 0; b < elements.size(); ++b)
      for (std::size_t c = b; c < elements.size(); ++c) {
        ufp::ThreeBodyBlock block;
        block.elements = {a, elements[c], elements[b]};
        block.knots_ij = clamped(0.3, 2.0 + (b != c) * 0.3, 4, power);
        block.knots_ik = clamped(0.3, 2.0, 4, power);
        block.knots_jk = clamped(0.2, 4.3 - 20 * shift * double(b % 3), 5, power);
        if (knots == Knots::lengths) { // one spacing, whatever the cutoff
          const auto knots_of = [&](double low, int spans) {
            return clamped(low, low + 0.4 * spans, spans);
          };
          const auto any = [&](int most) {
            return 2 + static_cast<int>(random() % unsigned(most));
          };
          block.knots_ij = knots_of(0.3, any(4));
          block.knots_ik = b == c ? block.knots_ij : knots_of(0.3, any(4));
          block.knots_jk = knots_of(0.2, any(9));
        }
        block.cutoff_ij = block.knots_ij.back();
        block.cutoff_ik = block.knots_ik.back();
        block.cutoff_jk = block.knots_jk.back();
        const std::size_t n = block.knots_ij.size() - 4, n_ik = block.knots_ik.size() - 4;
        const std::size_t m = block.knots_jk.size() - 4;
        for (std::size_t k = 0; k < n * n_ik * m; ++k)
          block.coefficients.push_back(random_number(random));
        file.triples.push_back(block);
      }
  return file;
}

double slow_pair(const ufp::Uf3File &file, const std::string &a, const std::string &b, double r) {
  for (const auto &block : file.pairs) {
    const auto &e = block.elements;
    if (!((e[0] == a && e[1] == b) || (e[0] == b && e[1] == a)) || r >= block.cutoff) continue;
    double sum = 0;
    for (std::size_t k = 0; k < block.coefficients.size(); ++k)
      sum += block.coefficients[k] * slow_basis(block.knots, k, 3, r);
    return sum;
  }
  return 0;
}

/// The values at r of all basis functions on the knots.
std::vector<double> slow_bases(const std::vector<double> &knots, double r) {
  std::vector<double> values;
  for (std::size_t k = 0; k + 4 < knots.size(); ++k) values.push_back(slow_basis(knots, k, 3, r));
  return values;
}

double slow_triple(const ufp::Uf3File &file, const std::string &a, const std::string &b,
                   const std::string &c, double rij, double rik, double rjk) {
  for (const auto &block : file.triples) {
    const auto &e = block.elements;
    if (e[0] != a) continue;
    const bool straight = e[1] == b && e[2] == c, swapped = e[1] == c && e[2] == b;
    if (!straight && !swapped) continue;
    const double x = straight ? rij : rik, y = straight ? rik : rij;
    if (x >= block.cutoff_ij || y >= block.cutoff_ik || rjk >= block.cutoff_jk) return 0;
    const auto along_ij = slow_bases(block.knots_ij, x), along_ik = slow_bases(block.knots_ik, y);
    const auto along_jk = slow_bases(block.knots_jk, rjk);
    const std::size_t n = along_ij.size(), n_ik = along_ik.size(), m = along_jk.size();
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n_ik; ++j)
        for (std::size_t k = 0; k < m; ++k) {
          std::size_t p = i, q = j; // like neighbours: the half with ij <= ik counts
          if (b == c && p > q) std::swap(p, q);
          sum +=
              block.coefficients[(p * n_ik + q) * m + k] * along_ij[i] * along_ik[j] * along_jk[k];
        }
    return sum;
  }
  return 0;
}

/// Compare one version of the loops with the definition on a random cluster of n atoms.
void check_cluster(Knots knots, simd::Instructions instructions, std::size_t n, double size,
                   const std::vector<std::string> &elements = {"A", "B", "C"}, unsigned seed = 3) {
  std::mt19937 random(seed);
  const ufp::Uf3File file = make_file(random, elements, knots);
  const ufp::Potential potential(file, elements, ufp::BodyOrder::three);
  std::vector<double> x(3 * n);
  std::vector<int> species(n);
  for (std::size_t i = 0; i < n; ++i) {
    for (int a = 0; a < 3; ++a) x[3 * i + std::size_t(a)] = size * random_number(random);
    species[i] = static_cast<int>(i % elements.size());
  }
  neighbors::System system;
  system.positions = x.data();
  system.size = n;
  system.periodic = {false, false, false};
  const ufp::Result result = ufp::evaluate_system(potential, system, species, instructions);

  const auto distance = [&](std::size_t i, std::size_t j) {
    double sum = 0;
    for (std::size_t a = 0; a < 3; ++a) sum += std::pow(x[3 * j + a] - x[3 * i + a], 2);
    return std::sqrt(sum);
  };
  int triplets = 0;
  double energy_scale = 1;
  for (std::size_t i = 0; i < n; ++i) {
    double expected = 0;
    bool short_range = false; // the continuation below the first knot is tested elsewhere
    const auto name = [&](std::size_t k) { return elements[std::size_t(species[k])]; };
    for (std::size_t j = 0; j < n; ++j) {
      if (j == i) continue;
      short_range = short_range || distance(i, j) < 0.3;
      expected += slow_pair(file, name(i), name(j), distance(i, j));
      for (std::size_t k = j + 1; k < n; ++k) {
        if (k == i) continue;
        short_range = short_range || (distance(j, k) < 0.2 && distance(i, j) < 2.4);
        const double v = slow_triple(file, name(i), name(j), name(k), distance(i, j),
                                     distance(i, k), distance(j, k));
        expected += v;
        energy_scale = std::max(energy_scale, std::abs(expected));
        triplets += v != 0;
      }
    }
    if (!short_range) CHECK_CLOSE(result.atom_energy[i], expected, 1e-12 * energy_scale);
  }
  CHECK(triplets > 100);
  // the versions differ by rounding alone
  const ufp::Result plain =
      ufp::evaluate_system(potential, system, species, simd::Instructions::portable);
  double scale = 1;
  for (double f : plain.forces) scale = std::max(scale, std::abs(f));
  for (std::size_t k = 0; k < 3 * n; ++k)
    CHECK_CLOSE(result.forces[k], plain.forces[k], 1e-13 * scale);
  for (std::size_t c = 0; c < 6; ++c) CHECK_CLOSE(result.virial[c], plain.virial[c], 1e-12 * scale);
  CHECK(result.short_range_pairs == plain.short_range_pairs);
}

/// Compare all versions of the loops on many centres: what stands in unused lanes must not matter.
void check_versions(unsigned seed) {
  std::mt19937 random(seed);
  const std::vector<std::string> elements{"A", "B", "C"};
  const ufp::Potential potential(make_file(random, elements, Knots::lengths), elements,
                                 ufp::BodyOrder::three);
  constexpr std::size_t n = 400;
  std::vector<double> x(3 * n);
  std::vector<int> species(n);
  for (double &value : x) value = 4.0 * random_number(random);
  for (std::size_t i = 0; i < n; ++i) species[i] = static_cast<int>(i % 3);
  neighbors::System system;
  system.positions = x.data();
  system.size = n;
  system.periodic = {false, false, false};
  const ufp::Result plain =
      ufp::evaluate_system(potential, system, species, simd::Instructions::portable);
  double scale = 1;
  for (double f : plain.forces) scale = std::max(scale, std::abs(f));
  for (simd::Instructions instructions : simd::available_instructions()) {
    const ufp::Result result = ufp::evaluate_system(potential, system, species, instructions);
    for (std::size_t k = 0; k < 3 * n; ++k)
      CHECK_CLOSE(result.forces[k], plain.forces[k], 1e-12 * scale);
  }
}

/// A three-body block that vanishes where distances can be: its support ends at zero.
void check_empty_support() {
  std::mt19937 random(1);
  ufp::Uf3File file = make_file(random, {"A"}, Knots::same);
  ufp::ThreeBodyBlock &block = file.triples[0];
  block.knots_jk = {-1, 0, 0, 0, 0, 1, 2, 3, 3, 3, 3};
  block.cutoff_jk = 3;
  const std::size_t n = block.knots_ij.size() - 4, m = block.knots_jk.size() - 4;
  block.coefficients.assign(n * n * m, 0.0);
  for (std::size_t k = 0; k < n * n; ++k) block.coefficients[k * m] = 1.0;
  const double x[9] = {0, 0, 0, 1, 0, 0, 0, 1.2, 0};
  neighbors::System system;
  system.positions = x;
  system.size = 3;
  system.periodic = {false, false, false};
  for (simd::Instructions instructions : simd::available_instructions()) {
    const ufp::Potential both(file, {"A"}, ufp::BodyOrder::three),
        pairs(file, {"A"}, ufp::BodyOrder::two);
    CHECK_CLOSE(ufp::evaluate_system(both, system, {0, 0, 0}, instructions).energy,
                ufp::evaluate_system(pairs, system, {0, 0, 0}, instructions).energy, 1e-14);
  }
}

} // namespace

int main() {
  for (simd::Instructions instructions : simd::available_instructions())
    for (Knots knots : {Knots::same, Knots::several, Knots::gaps, Knots::uneven}) {
      check_cluster(knots, instructions, 14, 1.6);
      check_cluster(knots, instructions, 60, 2.2); // several lists of triplets for one centre
    }
  for (simd::Instructions instructions : simd::available_instructions())
    for (unsigned seed = 0; seed < 12; ++seed)
      check_cluster(Knots::lengths, instructions, 20, 1.6, {"A", "B", "C"}, seed);
  for (unsigned seed = 0; seed < 3; ++seed) check_versions(seed);
  check_empty_support();
  const std::vector<std::string> many{"A", "B", "C", "D", "E", "F", "G", "H", "I", "J"};
  for (simd::Instructions instructions : simd::available_instructions())
    check_cluster(Knots::several, instructions, 40, 1.9, many);
  return failures != 0;
}

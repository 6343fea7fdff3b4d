// EFG kernels: harmonics and couplings against closed forms, prediction against features · weights.
#include "core/tests/support/check.h"

#include "core/common/error.h"
#include "core/efg/components.h"
#include "core/efg/features.h"
#include "core/efg/predictor.h"

#include <array>
#include <cmath>
#include <random>
#include <vector>

using namespace lpsnmr;

namespace {

efg::Settings settings() {
  efg::Settings s;
  s.species = {3, 15, 16};
  s.bridges = {15, 16};
  s.pair = {5, 4.5};
  s.chain = {3, 4.0};
  s.bridge = {2, 3.6};
  s.bridge_l_max = 3;
  s.product = {1, 3.3};
  s.product_l_max = 3;
  s.product_degree_max = 2;
  s.triple = {2, 3.9};
  s.triple_l_max = 3;
  s.field_cutoff = 5.5;
  s.source = {2, 3.7}; // beyond the bridge's own list
  s.sources = {16, 3};
  return s;
}

struct Cluster {
  std::vector<double> positions;
  std::vector<int> numbers;
  neighbors::System system() const {
    neighbors::System s;
    s.positions = positions.data();
    s.size = numbers.size();
    s.cell = {9.0, 0, 0, 1.0, 8.0, 0, 0, -1.0, 8.5};
    return s;
  }
};

Cluster make_cluster(std::mt19937 &random) {
  std::uniform_real_distribution<double> inside(0.0, 8.0);
  Cluster cluster;
  for (int i = 0; i < 24; ++i) {
    for (int d = 0; d < 3; ++d) cluster.positions.push_back(inside(random));
    cluster.numbers.push_back(std::array<int, 3>{3, 15, 16}[i % 3]);
  }
  return cluster;
}

void harmonics_of_low_degree() {
  const double x = 0.48, y = -0.6, z = 0.64;
  double h[efg::harmonic_count(2)];
  efg::real_harmonics<1>(2, &x, &y, &z, h);
  const double root = std::sqrt(3.0);
  const double expected[] = {1,
                             y,
                             z,
                             x,
                             root * x * y,
                             root * y * z,
                             0.5 * (3 * z * z - 1),
                             root * x * z,
                             0.5 * root * (x * x - y * y)};
  for (int k = 0; k < 9; ++k) CHECK_CLOSE(h[k], expected[k], 1e-15);
}

void norm_of_each_degree_is_one() {
  const double x = 0.36, y = 0.48, z = -0.8;
  double h[efg::harmonic_count(efg::max_harmonic_degree)];
  efg::real_harmonics<1>(efg::max_harmonic_degree, &x, &y, &z, h);
  for (int l = 0; l <= efg::max_harmonic_degree; ++l) {
    double sum = 0.0;
    for (int m = -l; m <= l; ++m)
      sum += h[efg::harmonic_index(l, m)] * h[efg::harmonic_index(l, m)];
    CHECK_CLOSE(sum, 1.0, 1e-13);
  }
}

/// The two forms of a tensor: norm kept, there and back, and the axes where they belong.
void components_and_cartesian() {
  const double tensor[6] = {0.3, -0.9, 0.6, 0.2, -0.5, 0.7}; // xx yy zz xy xz yz
  double components[5], back[6];
  efg::components_of(tensor, components);
  efg::cartesian_of(components, back);
  double norm = 0.0, square = 0.0;
  for (const double c : components) norm += c * c;
  for (int k = 0; k < 6; ++k) {
    square += (k < 3 ? 1.0 : 2.0) * tensor[k] * tensor[k];
    CHECK_CLOSE(back[k], tensor[k], 1e-15);
  }
  CHECK_CLOSE(norm, square, 1e-15);
  // u u - 1/3 is proportional to the harmonics of degree 2 of u
  const double u[3] = {0.48, -0.6, 0.64};
  const double dyad[6] = {u[0] * u[0] - 1.0 / 3, u[1] * u[1] - 1.0 / 3, u[2] * u[2] - 1.0 / 3,
                          u[0] * u[1],           u[0] * u[2],           u[1] * u[2]};
  double harmonics[efg::harmonic_count(2)];
  efg::components_of(dyad, components);
  efg::real_harmonics<1>(2, u, u + 1, u + 2, harmonics);
  for (int m = 0; m < 5; ++m)
    CHECK_CLOSE(components[m], std::sqrt(2.0 / 3.0) * harmonics[4 + m], 1e-15);
}

template <typename Call> bool throws(const Call &call) {
  try {
    call();
  } catch (const Error &) {
    return true;
  }
  return false;
}

/// Σ_ab C(a, b, c) C(a, b, c') = δ_cc'.
void couplings_are_orthonormal() {
  for (int l1 = 0; l1 <= 5; ++l1)
    for (int l2 = 0; l2 <= 5; ++l2)
      for (int l = std::abs(l1 - l2); l <= l1 + l2; ++l) {
        if ((l1 + l2 + l) % 2) continue;
        const std::vector<efg::CouplingTerm> terms = efg::real_coupling(l1, l2, l);
        std::vector<double> overlap((2 * l + 1) * (2 * l + 1), 0.0);
        for (const efg::CouplingTerm &s : terms)
          for (const efg::CouplingTerm &t : terms)
            if (s.a == t.a && s.b == t.b) overlap[s.c * (2 * l + 1) + t.c] += s.value * t.value;
        for (int c = 0; c <= 2 * l; ++c)
          for (int d = 0; d <= 2 * l; ++d) CHECK_CLOSE(overlap[c * (2 * l + 1) + d], c == d, 1e-12);
      }
  CHECK(throws([&] { efg::real_coupling(1, 2, 2); }));
  CHECK(throws([&] { efg::real_coupling(1, 1, 4); }));
}

void prediction_is_features_times_weights(simd::Instructions instructions) {
  std::mt19937 random(5);
  std::normal_distribution<double> normal;
  const efg::Basis basis(settings());
  std::vector<double> weights(basis.size());
  for (double &w : weights) w = normal(random);
  const efg::Predictor model(basis, weights, {}, {}, instructions);
  const Cluster cluster = make_cluster(random);
  const std::vector<int> targets{0, 3, 21};
  const neighbors::System system = cluster.system();
  const std::vector<double> features =
      efg::system_features(basis, system, cluster.numbers.data(), targets, instructions);
  std::vector<double> predicted(15), threaded(15);
  std::vector<unsigned char> flags(3);
  model.predict(system, cluster.numbers.data(), targets, predicted.data(), flags.data());
  model.predict(system, cluster.numbers.data(), targets, threaded.data(), nullptr, 3);
  for (std::size_t row = 0; row < 15; ++row) {
    double sum = 0.0;
    for (std::size_t f = 0; f < basis.size(); ++f)
      sum += features[row * basis.size() + f] * weights[f];
    CHECK_CLOSE(predicted[row], sum, 1e-10 * (1.0 + std::abs(sum)));
    CHECK(predicted[row] == threaded[row]);
  }
  CHECK(flags[0] == 0 && flags[1] == 0 && flags[2] == 0);
  // the versions differ by rounding alone
  const efg::Predictor plain(basis, weights, {}, {}, simd::Instructions::portable);
  std::vector<double> expected(15);
  plain.predict(system, cluster.numbers.data(), targets, expected.data(), nullptr);
  for (std::size_t row = 0; row < 15; ++row)
    CHECK_CLOSE(predicted[row], expected[row], 1e-11 * (1.0 + std::abs(expected[row])));
}

void bad_input_throws() {
  const efg::Basis basis(settings());
  CHECK(throws([&] { efg::Predictor(basis, std::vector<double>(3), {}, {}); }));
  std::vector<double> weights(basis.size(), 0.0);
  efg::EnvironmentRange short_range;
  short_range.nearest = {1.0};
  CHECK(throws([&] { efg::Predictor(basis, weights, short_range, {}); }));
  weights[7] = std::nan("");
  CHECK(throws([&] { efg::Predictor(basis, weights, {}, {}); }));
}

} // namespace

int main() {
  harmonics_of_low_degree();
  norm_of_each_degree_is_one();
  components_and_cartesian();
  couplings_are_orthonormal();
  for (const simd::Instructions instructions : simd::available_instructions())
    prediction_is_features_times_weights(instructions);
  bad_input_throws();
  return failures != 0;
}

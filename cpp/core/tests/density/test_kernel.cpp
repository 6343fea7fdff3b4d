// Every version of the density loops gives the same numbers, for any number of neighbours, and they
// are those of the features.
#include "core/tests/support/check.h"

#include "core/density/features.h"
#include "core/density/system.h"
#include "core/ufp/features.h"

#include <random>
#include <string>
#include <vector>

namespace {

const std::vector<std::string> elements = {"Li", "P", "S"};

lpsnmr::density::RadialFunction function(std::mt19937 &random, int intervals, double full) {
  std::uniform_real_distribution<double> uniform(0.2, 1.0);
  lpsnmr::density::RadialFunction out{full, 1.6 * full, {}};
  for (int k = 0; k < intervals - 3; ++k) out.coefficients.push_back(uniform(random));
  return out;
}

/// Blocks with every highest l, unlike numbers of functions, and two blocks of one centre.
std::vector<lpsnmr::density::Block> blocks(std::mt19937 &random, double full) {
  std::vector<lpsnmr::density::Block> out;
  const char *const centers[] = {"S", "S", "P", "Li"};
  for (int b = 0; b < 4; ++b) {
    lpsnmr::density::Block block;
    block.center = centers[b];
    block.three_body = b != 1;
    block.four_body = b != 2;
    for (int c = 0; c < 3 - b % 2; ++c) {
      lpsnmr::density::Channel channel{
          elements[std::size_t(c)], (b + c) % 3, 0.8, 4.0 + 0.3 * c, 6 + c, {}};
      for (int f = 0; f < 1 + (b + 2 * c) % 4; ++f)
        channel.functions.push_back(function(random, channel.intervals, full));
      block.channels.push_back(channel);
    }
    std::normal_distribution<double> normal(0.0, 0.1);
    for (std::size_t t = 0; t < lpsnmr::density::Terms(block).terms.size(); ++t)
      block.coefficients.push_back(normal(random));
    out.push_back(block);
  }
  return out;
}

void compare(std::mt19937 &random, std::size_t n, double full) {
  std::uniform_real_distribution<double> uniform(0.0, 7.0);
  std::vector<double> positions(3 * n);
  for (double &x : positions) x = uniform(random);
  std::vector<int> species(n);
  for (int &s : species) s = static_cast<int>(random() % 3);
  lpsnmr::neighbors::System system;
  system.positions = positions.data();
  system.size = n;
  system.cell = {7.0, 0, 0, 0.8, 7.2, 0, -0.3, 0.4, 6.9};
  lpsnmr::density::UfdFile file;
  file.units = "metal";
  file.blocks = blocks(random, full);
  const lpsnmr::density::Potential potential(file, elements);
  const lpsnmr::density::Basis basis(elements, file.blocks);
  const std::size_t rows = lpsnmr::ufp::feature_rows(n);
  std::vector<double> features(rows * std::size_t(basis.columns())), expected(rows, 0.0);
  lpsnmr::density::evaluate_features(basis, system, species, features.data());
  std::size_t column = 0;
  for (const lpsnmr::density::Block &block : file.blocks)
    for (const double c : block.coefficients) {
      for (std::size_t r = 0; r < rows; ++r) expected[r] += c * features[column * rows + r];
      ++column;
    }
  double scale = 1.0;
  for (const double x : expected) scale = std::max(scale, std::abs(x));
  for (const lpsnmr::simd::Instructions instructions : lpsnmr::simd::available_instructions()) {
    lpsnmr::ufp::Result result;
    result.atom_energy.assign(n, 0.0);
    result.forces.assign(3 * n, 0.0);
    lpsnmr::density::add_terms(potential, system, species, result, instructions);
    CHECK_CLOSE(result.energy, expected[0], 1e-12 * scale);
    for (std::size_t c = 0; c < 6; ++c)
      CHECK_CLOSE(result.virial[c], expected[1 + c], 1e-12 * scale);
    for (std::size_t k = 0; k < 3 * n; ++k)
      CHECK_CLOSE(result.forces[k], expected[7 + k], 1e-12 * scale);
  }
}

} // namespace

int main() {
  std::mt19937 random(3);
  for (const std::size_t n : {std::size_t(1), std::size_t(2), std::size_t(7), std::size_t(30)})
    for (const double full : {1e6, 2.0, 0.5}) compare(random, n, full);
  return failures != 0;
}

// Squares of several rows at once against the product written out, and alone against together.
#include "core/tests/support/check.h"

#include "core/grades/covariance_factor.h"

#include <random>
#include <vector>

namespace {

constexpr std::size_t batch = lpsnmr::grades::CovarianceFactor::batch;
std::mt19937 random_bits(3);
std::normal_distribution<double> normal;

lpsnmr::grades::ElementCertainty random_part(std::size_t size) {
  lpsnmr::grades::ElementCertainty part;
  part.columns.resize(size);
  for (std::size_t n = 0; n < size * (size + 1) / 2; ++n)
    part.factor.push_back(float(normal(random_bits)));
  for (std::size_t n = 0; n < size; ++n) part.mean.push_back(float(normal(random_bits)));
  return part;
}

/// |L' (x - m)|^2, column by column.
double written_out(const lpsnmr::grades::ElementCertainty &part, const std::vector<double> &x) {
  double out = 0;
  for (std::size_t column = 0; column < part.size(); ++column) {
    double product = 0;
    for (std::size_t row = column; row < part.size(); ++row)
      product += double(part.factor[row * (row + 1) / 2 + column]) * (x[row] - part.mean[row]);
    out += product * product;
  }
  return out;
}

void test_size(std::size_t size, double zeros, lpsnmr::simd::Instructions instructions) {
  const lpsnmr::grades::ElementCertainty part = random_part(size);
  const lpsnmr::grades::CovarianceFactor factor(part, instructions);
  CHECK(factor.size() == size);
  std::vector<std::vector<double>> x(batch, std::vector<double>(size));
  std::vector<std::size_t> used;
  std::vector<double> values;
  std::uniform_real_distribution<double> chance;
  for (std::size_t row = 0; row < size; ++row) {
    if (chance(random_bits) < zeros) continue;
    used.push_back(row);
    for (std::size_t b = 0; b < batch; ++b) values.push_back(x[b][row] = normal(random_bits));
  }
  double together[batch];
  for (std::size_t b = 0; b < batch; ++b) together[b] = double(b); // squares are added
  factor.add_squares(used, values.data(), together);
  for (std::size_t b = 0; b < batch; ++b) {
    const double expected = double(b) + written_out(part, x[b]);
    CHECK_CLOSE(together[b], expected, 1e-12 * expected + 1e-300);
    // the same row in the first place, among others that are zero
    std::vector<std::size_t> all(size);
    std::vector<double> alone(size * batch, 0.0);
    for (std::size_t row = 0; row < size; ++row) {
      all[row] = row;
      alone[row * batch] = x[b][row];
    }
    double out[batch] = {double(b)};
    factor.add_squares(all, alone.data(), out);
    CHECK(out[0] == together[b]);
  }
}

} // namespace

int main() {
  for (const lpsnmr::simd::Instructions instructions : lpsnmr::simd::available_instructions()) {
    for (std::size_t size = 0; size < 40; ++size)
      for (const double zeros : {0.0, 0.6, 1.0}) test_size(size, zeros, instructions);
    test_size(300, 0.3, instructions);
  }
  return failures != 0;
}

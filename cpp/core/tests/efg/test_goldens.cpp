// The goldens that the Python and LAMMPS tests share (tests/efg/goldens): model file, frame,
// tensors of the slow reference.
#include "core/tests/support/check.h"

#include "core/efg/efg_file.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

using namespace lpsnmr;

namespace {

std::string golden(const std::string &name) {
  return std::string(LPSNMR_GOLDENS) + "/" + name;
}

std::vector<double> numbers_of(const std::string &path) {
  std::ifstream file(path);
  std::vector<double> values;
  for (double x; file >> x;) values.push_back(x);
  return values;
}

void test_golden(const std::string &name, simd::Instructions instructions) {
  std::ifstream file(golden(name + ".efg"));
  std::stringstream text;
  text << file.rdbuf();
  const efg::EfgFile model = efg::parse_efg_file(text.str(), name);
  const std::vector<double> frame = numbers_of(golden("frame.txt"));
  const std::vector<double> expected = numbers_of(golden("expected_" + name + ".txt"));
  CHECK(frame.size() > 9 && expected.size() % 5 == 0 && !expected.empty());

  neighbors::System system;
  for (int k = 0; k < 9; ++k) system.cell[k] = frame[k];
  std::vector<double> positions;
  std::vector<int> numbers, targets;
  for (std::size_t k = 9; k < frame.size(); k += 4) {
    numbers.push_back(static_cast<int>(frame[k]));
    if (numbers.back() == model.targets[0].atomic_number)
      targets.push_back(static_cast<int>(numbers.size()) - 1);
    positions.insert(positions.end(), frame.begin() + k + 1, frame.begin() + k + 4);
  }
  system.positions = positions.data();
  system.size = numbers.size();
  CHECK(expected.size() == 5 * targets.size());

  const efg::ModelTarget &target = model.targets[0];
  const efg::Predictor predictor(efg::Basis(model.settings), target.weights, target.environment,
                                 target.bridge_environments, instructions);
  for (const int threads : {1, 2}) {
    std::vector<double> found(expected.size());
    predictor.predict(system, numbers.data(), targets, found.data(), nullptr, threads);
    double largest = 0.0, worst = 0.0;
    for (std::size_t k = 0; k < found.size(); ++k) {
      largest = std::max(largest, std::abs(expected[k]));
      worst = std::max(worst, std::abs(found[k] - expected[k]));
    }
    CHECK(largest > 0.1);
    CHECK(worst < 1e-12 * largest);
  }
}

} // namespace

int main() {
  for (const simd::Instructions instructions : simd::available_instructions()) {
    test_golden("model", instructions); // as version 1 wrote it
    test_golden("field", instructions);
  }
  return failures != 0;
}

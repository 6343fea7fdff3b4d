// Thousands of damaged density files: the parser accepts or throws lpsnmr::Error, and nothing else
// happens; what it accepts can be evaluated.
#include "core/tests/support/check.h"
#include "core/tests/support/damage.h"

#include "core/common/error.h"
#include "core/density/candidates.h"
#include "core/density/kernel.h"
#include "core/density/ufd_file.h"

#include <random>
#include <string>

namespace {

const char *const good = "#lpsnmr-ufd 1\n"
                         "# words\n"
                         "UNITS metal\n"
                         "BASE -\n"
                         "CENTER A 34 2 24\n"
                         "BOUND -1.5 2 0.5\n"
                         "CHANNEL A 1 2 0.5 3.0 5\n"
                         "FUNCTION 1.5 2.5 0.5 1.0\n"
                         "CHANNEL B 2 0 0.4 4.0 4\n"
                         "FUNCTION 2 3.5 1.0\n"
                         "FUNCTION 2 3.5 0.7\n"
                         "COEFFICIENTS\n"
                         "1 2 3 4 5 6 7 8 9 10 11 12 13 14\n"
                         "1 2 3 4 5 6 7 8\n"
                         "1 2\n"
                         "CENTER B 3 1 1\n"
                         "BOUND -1 1 0.5\n"
                         "CHANNEL A 1 0 0.5 3.0 4\n"
                         "FUNCTION 1.5 2.5 1.0\n"
                         "COEFFICIENTS\n"
                         "0.25\n"
                         "END\n";

/// Evaluate a few atoms, whatever the numbers are.
void evaluate(const lpsnmr::density::Potential &potential) {
  const lpsnmr::ufp::Atom atoms[] = {{0, 0, 0, 0}, {1, 0, 0, 0}, {0, 2, 0, 1}, {0, 0, 1.5, 1}};
  const int others[] = {1, 2, 3};
  for (const lpsnmr::simd::Instructions instructions : lpsnmr::simd::available_instructions()) {
    lpsnmr::density::Kernel kernel(potential, instructions);
    if (!kernel.has_center(0)) continue;
    lpsnmr::density::CandidateLists candidates;
    candidates.add(potential, atoms, atoms[0], others, 3, 0.0);
    kernel.evaluate(atoms, atoms[0], candidates[0], true);
  }
}

/// Return whether the text makes density terms; any other exception ends the test.
bool accepted(const std::string &text) {
  try {
    evaluate(lpsnmr::density::Potential(lpsnmr::density::parse_ufd(text, "fuzz"), {"A", "B"}));
    return true;
  } catch (const lpsnmr::Error &) {
    return false;
  }
}

/// Return the message about the text with `from` replaced.
std::string complaint(std::string text, const std::string &from, const std::string &to) {
  try {
    lpsnmr::density::parse_ufd(text.replace(text.find(from), from.size(), to), "name");
    return "";
  } catch (const lpsnmr::Error &error) {
    return error.what();
  }
}

} // namespace

int main() {
  const std::string text = good;
  CHECK(accepted(text));
  CHECK(complaint(text, "BASE -", "BASE " + std::string(64, 'a')).empty());
  CHECK(complaint(text, "BASE -", "BASE " + std::string(64, 'g')).find("hexadecimal") !=
        std::string::npos);
  CHECK(complaint(text, "A 34 2 24", "A 34 2 200000").find("at most 100000, got '200000'") !=
        std::string::npos);
  for (std::size_t n = 0; n < text.size() - 1; ++n) CHECK(!accepted(text.substr(0, n)));
  std::mt19937 random(5);
  static const char letters[] = "0123456789.-+eE \n\tnaifAB#END\r\v\0\xff";
  const std::string alphabet(letters, sizeof letters - 1);
  int passed = 0;
  for (int trial = 0; trial < 20000; ++trial) passed += accepted(damaged(text, random, alphabet));
  CHECK(passed > 100); // some damage is harmless: comments, digits of coefficients
  CHECK(passed < 15000);
  return failures != 0;
}

// Thousands of damaged files: the parser accepts or throws lpsnmr::Error, and nothing else happens.
#include "core/tests/support/check.h"
#include "core/tests/support/damage.h"

#include "core/common/error.h"
#include "core/ufp/potential.h"
#include "core/ufp/uf3_file.h"

#include <random>
#include <string>

namespace {

const char *const good = "#UF3 POT UNITS: metal DATE: x AUTHOR: y CITATION:\n"
                         "2B A A 0 3 uk\n"
                         "3.0 10\n"
                         "1 1 1 1 1.666666666 2.333333333 3 3 3 3\n"
                         "6\n"
                         "3 2 1 0 0 0\n"
                         "#\n"
                         "#UF3 POT UNITS: metal DATE: x AUTHOR: y CITATION:\n"
                         "3B A A A 0 3 nk\n"
                         "4 2 2 8 8 8\n"
                         "1 1 1 1 4 4 4 4\n"
                         "1 1 1 1 2 2 2 2\n"
                         "1 1 1 1 2 2 2 2\n"
                         "4 4 4\n"
                         "1 2 3 4\n1 2 3 4\n1 2 3 4\n1 2 3 4\n"
                         "1 2 3 4\n1 2 3 4\n1 2 3 4\n1 2 3 4\n"
                         "1 2 3 4\n1 2 3 4\n1 2 3 4\n1 2 3 4\n"
                         "1 2 3 4\n1 2 3 4\n1 2 3 4\n1 2 3 4\n"
                         "#\n";

/// Return whether the text makes a potential; any other exception ends the test.
bool accepted(const std::string &text) {
  try {
    const lpsnmr::ufp::Uf3File file = lpsnmr::ufp::parse_uf3(text, "fuzz");
    const lpsnmr::ufp::Potential potential(file, {"A"}, lpsnmr::ufp::BodyOrder::three);
    double slope;
    for (double r = 0.01; r < potential.pair(0, 0).cutoff() && r < 10; r += 0.1)
      potential.pair(0, 0).evaluate(r, slope);
    return true;
  } catch (const lpsnmr::Error &) {
    return false;
  }
}

} // namespace

int main() {
  const std::string text = good;
  CHECK(accepted(text));
  for (std::size_t n = 0; n < text.size() - 3; ++n) CHECK(!accepted(text.substr(0, n)));
  std::mt19937 random(5);
  static const char letters[] = "0123456789.-+eE \n\tnaifBA#xuk\r\0\xff";
  const std::string alphabet(letters, sizeof letters - 1);
  int passed = 0;
  for (int trial = 0; trial < 20000; ++trial) passed += accepted(damaged(text, random, alphabet));
  CHECK(passed > 100); // some damage is harmless: comments, digits of coefficients
  CHECK(passed < 15000);
  return failures != 0;
}

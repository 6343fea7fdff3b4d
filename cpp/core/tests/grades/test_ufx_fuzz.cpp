// A small .ufx file and thousands of damaged ones: accepted or refused by lpsnmr::Error, no more.
#include "core/tests/support/check.h"
#include "core/tests/support/damage.h"

#include "core/common/error.h"
#include "core/common/sha256.h"
#include "core/grades/extrapolation.h"

#include <array>
#include <cmath>
#include <cstring>
#include <initializer_list>
#include <random>
#include <string>
#include <vector>

namespace {

/// One element, one pair of 5 columns, one triple and one density term of one column; factor and
/// mean of 5 columns.
std::string good_file() {
  std::string text =
      R"({"format":"lpsnmr-ufx","version":2,"potential":{"sha256":")" + lpsnmr::sha256("abc") +
      R"("},"units":"eV, Å","elements":["A"],"pairs":[{"elements":["A","A"],)"
      R"("knots":[1,1,1,1,1.5,2,2.5,3,4,4,4,4],"shortest":1.5}],"triples":[{"elements":)"
      R"(["A","A","A"],"knots":[[1,1,1,1,4,4,4,4],[1,1,1,1,4,4,4,4],[1,1,1,1,8,8,8,8]]}],)"
      R"("density":[{"center":"A","orders":3,"channels":[{"element":"A","highest_l":0,"start":0.5,)"
      R"("cutoff":3.5,"intervals":5,"functions":[[1.5,0.5]]}]}],)"
      R"("certainty":[{"element":"A","columns":[0,1,3,5,6],"unseen_deviation":0.5,)"
      R"("largest_deviation":0.25}]})"
      "\n";
  const float numbers[20] = {1,   .5,  1,   .1f, .2f, 1,   .3f, -.4f, .5f, 2,
                             .1f, .2f, .1f, .3f, 1.5, .1f, .2f, .3f,  .4f, .6f};
  for (const float number : numbers) { // the machines of these tests are little-endian
    char bytes[4];
    std::memcpy(bytes, &number, 4);
    text.append(bytes, 4);
  }
  return text;
}

/// Neighbours of one element: each by its vector, Å.
class Neighbors {
public:
  Neighbors(std::initializer_list<std::array<double, 3>> vectors) {
    for (const std::array<double, 3> &v : vectors) {
      vector_.insert(vector_.end(), v.begin(), v.end());
      distance_.push_back(std::sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]));
    }
    species_.assign(distance_.size(), 0);
  }
  lpsnmr::neighbors::Neighborhood view() const {
    return {distance_.size(), vector_.data(), distance_.data(), nullptr, species_.data(), nullptr};
  }

private:
  std::vector<double> vector_, distance_;
  std::vector<int> species_;
};

lpsnmr::grades::SiteGrade grade_of(lpsnmr::grades::Extrapolation &extrapolation,
                                   const Neighbors &neighbors) {
  extrapolation.add(0, neighbors.view());
  return extrapolation.finish().at(0);
}

/// Return whether the text makes an evaluator; any other exception ends the test.
bool accepted(const std::string &text) {
  try {
    lpsnmr::grades::Extrapolation extrapolation(lpsnmr::grades::parse_ufx(text, "fuzz"));
    grade_of(extrapolation, {{1.2, 0, 0}, {0, 2.0, 0}});
    return true;
  } catch (const lpsnmr::Error &) {
    return false;
  }
}

void test_values() {
  lpsnmr::grades::Extrapolation extrapolation(lpsnmr::grades::parse_ufx(good_file(), "good"));
  CHECK(extrapolation.columns() == 7);
  const lpsnmr::grades::SiteGrade alone = grade_of(extrapolation, {});
  // no neighbour: the row is minus the mean; (L' m) by hand
  const double product[5] = {.1 + .2 * .5 + .3 * .1 + .4 * .3 + .6 * .1,
                             .2 + .3 * .2 - .4 * .4 + .6 * .2, .3 + .4 * .5 + .6 * .1,
                             .4 * 2 + .6 * .3, .6 * 1.5};
  double variance = 0;
  for (const double p : product) variance += p * p;
  CHECK_CLOSE(alone.deviation, std::sqrt(variance), 1e-7);
  CHECK_CLOSE(alone.grade, 4 * alone.deviation, 1e-12);
  CHECK(alone.excess == 0);
  const lpsnmr::grades::SiteGrade close = grade_of(extrapolation, {{1.2, 0, 0}});
  CHECK_CLOSE(close.excess, 0.3, 1e-12);
  // many at once come back in order, as each alone
  std::vector<Neighbors> sites;
  for (int n = 0; n < 21; ++n) {
    const double r = 1.4 + 0.1 * n;
    sites.push_back({{r, 0, 0}, {0, 2.0, 0}});
    extrapolation.add(0, sites.back().view());
  }
  const std::vector<lpsnmr::grades::SiteGrade> grades = extrapolation.finish();
  CHECK(grades.size() == sites.size());
  for (std::size_t n = 0; n < grades.size(); ++n) {
    const lpsnmr::grades::SiteGrade one = grade_of(extrapolation, sites[n]);
    CHECK(grades[n].excess == one.excess);
    CHECK(grades[n].deviation == one.deviation);
    CHECK(grades[n].grade == one.grade);
  }
  // what was given up leaves no trace
  for (int n = 0; n < 3; ++n) extrapolation.add(0, sites[std::size_t(n)].view());
  extrapolation.discard();
  CHECK(extrapolation.finish().empty());
  CHECK(grade_of(extrapolation, sites[5]).deviation == grades[5].deviation);
  // what was evaluated before leaves no trace
  CHECK(grade_of(extrapolation, {}).deviation == alone.deviation);
}

} // namespace

int main() {
  CHECK(lpsnmr::sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(lpsnmr::sha256("abc") ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  test_values();
  const std::string text = good_file();
  CHECK(accepted(text));
  for (std::size_t n = 0; n < text.size(); ++n) CHECK(!accepted(text.substr(0, n)));
  std::mt19937 random(7);
  static const char letters[] = "0123456789.-+eE,:[]{}\" \n\tnul\\\0\xff\xc3";
  const std::string alphabet(letters, sizeof letters - 1);
  int passed = 0;
  for (int trial = 0; trial < 20000; ++trial) passed += accepted(damaged(text, random, alphabet));
  CHECK(passed > 100); // some damage is harmless: digits of numbers, bytes of the factor
  CHECK(passed < 15000);
  return failures != 0;
}

// Thousands of damaged EFG model files: the reader accepts or throws lpsnmr::Error, and nothing
// else happens. And what JSON is and is not.
#include "core/tests/support/check.h"
#include "core/tests/support/damage.h"

#include "core/common/elements.h"
#include "core/common/error.h"
#include "core/efg/efg_file.h"
#include "core/text/json.h"

#include <cstring>
#include <limits>
#include <random>
#include <string>

namespace {

const char *const good = R"({
 "format": "lpsnmr-efg", "version": 1, "units": {"length": "\u00c5", "efg": "V/Å²"},
 "species": ["Li", "S"], "bridges": ["S"],
 "settings": {"pair": [1, 4.0], "chain": [1, 4], "bridge": [1, 3.5], "bridge_l_max": 1,
  "product": [0, 3.0], "product_l_max": 0, "product_degree_max": 0, "triple": [0, 3.0],
  "triple_l_max": 1},
 "targets": {"Li": {
  "environment": {"nearest": [null, 2.0], "fewest": [0, -1e-3], "most": [1, 2]},
  "bridge_environments": {"S": {"nearest": [1, 2], "fewest": [0, 0], "most": [1.5, 2]}},
  "weights": [0.25, -1e0, 2.5E+1, 3, 4, 5, 6, 7]}},
 "provenance": {"note": "a \"word\"\n", "list": [true, false, null, {}]}
}
)";

/// The same as version 2 with a field: six channels of degree 1 more for both l1.
std::string good_field() {
  std::string text = good;
  const auto put = [&text](const std::string &word, const std::string &other) {
    text.replace(text.find(word), word.size(), other);
  };
  put("\"version\": 1", "\"version\": 2");
  put("\"bridges\": [\"S\"],", "\"bridges\": [\"S\"], \"sources\": [\"S\"],");
  put("\"triple_l_max\": 1", "\"triple_l_max\": 1, \"field_cutoff\": 6.0, \"source\": [1, 3.0]");
  put("5, 6, 7]", "5, 6, 7, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]");
  return text;
}

bool accepted(const std::string &text) {
  try {
    const lpsnmr::efg::EfgFile file = lpsnmr::efg::parse_efg_file(text, "fuzz");
    for (const lpsnmr::efg::ModelTarget &t : file.targets)
      lpsnmr::efg::Predictor(lpsnmr::efg::Basis(file.settings), t.weights, t.environment,
                             t.bridge_environments);
    return true;
  } catch (const lpsnmr::Error &) {
    return false;
  }
}

bool is_json(const std::string &text) {
  try {
    lpsnmr::text::parse_json(text, "json");
    return true;
  } catch (const lpsnmr::Error &) {
    return false;
  }
}

void test_values() {
  const lpsnmr::efg::EfgFile file = lpsnmr::efg::parse_efg_file(good, "good");
  CHECK(file.settings.species == (std::vector<int>{3, 16}));
  CHECK(file.settings.bridges == std::vector<int>{16});
  CHECK(file.settings.bridge.count == 1 && file.settings.bridge.cutoff == 3.5);
  CHECK(file.targets.size() == 1 && file.targets[0].atomic_number == 3);
  CHECK(file.targets[0].weights == (std::vector<double>{0.25, -1, 25, 3, 4, 5, 6, 7}));
  CHECK(file.targets[0].environment.nearest[0] == std::numeric_limits<double>::infinity());
  CHECK(file.targets[0].environment.fewest[1] == -1e-3);
  CHECK(file.targets[0].bridge_environments[0].most[0] == 1.5);
  CHECK(file.settings.field_cutoff == 0.0 && file.settings.sources.empty());
  const lpsnmr::efg::EfgFile newer = lpsnmr::efg::parse_efg_file(good_field(), "good");
  CHECK(newer.settings.field_cutoff == 6.0 && newer.settings.source.count == 1);
  CHECK(newer.settings.sources == std::vector<int>{16});
  CHECK(newer.targets[0].weights.size() == 20);
  CHECK(lpsnmr::atomic_number("Og") == 118 && lpsnmr::atomic_number("?") == 0);
  CHECK(std::strcmp(lpsnmr::chemical_symbol(16), "S") == 0);
}

void test_json() {
  for (const char *text : {"0", "-0.5e-3", " [ ] ", "{\"a\":[1,2,{\"b\":null}]}",
                           "\"\\ud83d\\ude00\"", "\"\\u00c5\\/\\t\"", "1e308", "true\n"})
    CHECK(is_json(text));
  for (const char *text : {"",
                           "01",
                           "1.",
                           ".5",
                           "+1",
                           "1e",
                           "--1",
                           "NaN",
                           "Infinity",
                           "-Infinity",
                           "1e309",
                           "[1,]",
                           "[1 2]",
                           "{\"a\":1,}",
                           "{a:1}",
                           "{\"a\" 1}",
                           "{\"a\":1,\"a\":2}",
                           "'a'",
                           "\"a",
                           "\"\n\"",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "\"\\u12g4\"",
                           "\"\\ud800\"",
                           "\"\\udc00\"",
                           "tru",
                           "nul",
                           "1 1",
                           "[",
                           "{",
                           "]",
                           "/* */ 1"})
    CHECK(!is_json(text));
  CHECK(!is_json(std::string("1\0", 2)));
  CHECK(is_json(std::string(60, '[') + std::string(60, ']')));
  CHECK(!is_json(std::string(100000, '[')));
  const lpsnmr::text::JsonValue value =
      lpsnmr::text::parse_json("[\"\\u00c5\\ud83d\\ude00\",\n -2.5]", "x");
  CHECK(value.items[0].string == "\xc3\x85\xf0\x9f\x98\x80");
  CHECK(value.items[1].number == -2.5 && value.items[1].line == 2);
}

void test_damage(const std::string &text) {
  CHECK(accepted(text));
  for (std::size_t n = 0; n + 2 < text.size(); ++n) CHECK(!accepted(text.substr(0, n)));
  std::mt19937 random(7);
  static const char letters[] = "0123456789.-+eE \n\t\"\\{}[]:,untrue\0\xff";
  const std::string alphabet(letters, sizeof letters - 1);
  int passed = 0;
  for (int trial = 0; trial < 20000; ++trial) passed += accepted(damaged(text, random, alphabet));
  CHECK(passed > 100); // some damage is harmless: digits, blanks, words of the provenance
  CHECK(passed < 10000);
}

} // namespace

int main() {
  test_values();
  test_json();
  test_damage(good);
  test_damage(good_field());
  return failures != 0;
}

#include "core/density/ufd_file.h"

#include "core/density/terms.h"
#include "core/text/line_reader.h"

#include <cmath>

namespace lpsnmr::density {
namespace {

const char *const signature = "#lpsnmr-ufd 1";
constexpr int most_functions = 64; // of a block: the number of terms grows with the third power

/// Words of the next line that is no comment and not empty; none at the end of the file.
std::vector<std::string> next_words(text::LineReader &lines) {
  std::string line;
  while (lines.next(line)) {
    std::vector<std::string> out = text::split_words(line);
    if (!out.empty() && out[0][0] != '#') return out;
  }
  return {};
}

/// The same; the first word must be the keyword.
std::vector<std::string> record(text::LineReader &lines, const char *keyword) {
  std::vector<std::string> out = next_words(lines);
  if (out.empty()) lines.fail(std::string("the file ends where ") + keyword + " is expected");
  if (out[0] != keyword)
    lines.fail(std::string("expected ") + keyword + ", got '" + out[0].substr(0, 40) + "'");
  return out;
}

void expect_words(const text::LineReader &lines, const std::vector<std::string> &words,
                  std::size_t count, const char *form) {
  if (words.size() != count)
    lines.fail(std::string("expected '") + form + "', got " + std::to_string(words.size()) +
               " word(s)");
}

RadialFunction read_function(text::LineReader &lines, int intervals) {
  const auto words = record(lines, "FUNCTION");
  expect_words(lines, words, std::size_t(intervals),
               "FUNCTION full gone and intervals - 3 numbers");
  RadialFunction out;
  out.full = lines.number(words[1], "moment where the terms begin to fade");
  out.gone = lines.number(words[2], "moment where the terms are gone");
  if (!(out.full > 0 && out.gone > out.full))
    lines.fail("FUNCTION: expected 0 < full < gone, got " + words[1] + " and " + words[2]);
  for (std::size_t k = 3; k < words.size(); ++k)
    out.coefficients.push_back(lines.number(words[k], "spline coefficient"));
  return out;
}

Channel read_channel(text::LineReader &lines) {
  const auto words = record(lines, "CHANNEL");
  expect_words(lines, words, 7, "CHANNEL element functions highest_l first_knot cutoff intervals");
  Channel out;
  out.element = words[1];
  const int functions = lines.integer(words[2], "number of functions", 1, most_functions);
  out.highest_l = lines.integer(words[3], "highest l", 0, 2);
  out.start = lines.number(words[4], "first knot");
  out.cutoff = lines.number(words[5], "cutoff");
  if (!(out.start >= 0 && out.cutoff > out.start))
    lines.fail("CHANNEL: expected 0 <= first knot < cutoff, got " + words[4] + " and " + words[5]);
  out.intervals = lines.integer(words[6], "number of intervals", 4, 10000);
  // beyond this a power of the interval would be no number
  if (!(out.cutoff < 1e6 && (out.cutoff - out.start) / out.intervals > 1e-6))
    lines.fail("CHANNEL: intervals of at least 1e-6 and a cutoff below 1e6 are expected");
  for (int f = 0; f < functions; ++f) out.functions.push_back(read_function(lines, out.intervals));
  return out;
}

void read_coefficients(text::LineReader &lines, std::size_t count, Block &block) {
  expect_words(lines, record(lines, "COEFFICIENTS"), 1, "COEFFICIENTS");
  while (block.coefficients.size() < count)
    for (const std::string &word : lines.words("a line of coefficients")) {
      if (block.coefficients.size() == count)
        lines.fail("COEFFICIENTS: expected " + std::to_string(count) + " numbers, got more");
      block.coefficients.push_back(lines.number(word, "coefficient"));
    }
}

Block read_block(text::LineReader &lines, const std::vector<std::string> &words) {
  expect_words(lines, words, 5, "CENTER element 3|4|34 channels coefficients");
  Block block;
  block.place = lines.place();
  block.center = words[1];
  if (words[2] != "3" && words[2] != "4" && words[2] != "34")
    lines.fail("body orders: expected 3, 4 or 34, got '" + words[2] + "'");
  block.three_body = words[2] != "4";
  block.four_body = words[2] != "3";
  const int channels = lines.integer(words[3], "number of channels", 1, 100);
  const int count = lines.integer(words[4], "number of coefficients", 1);
  const auto bound = record(lines, "BOUND");
  expect_words(lines, bound, 4, "BOUND low high room");
  block.low = lines.number(bound[1], "lowest energy");
  block.high = lines.number(bound[2], "highest energy");
  block.room = lines.number(bound[3], "room beyond the bounds");
  if (!(block.low < block.high && block.room > 0))
    lines.fail("BOUND: expected low < high and room > 0, got " + bound[1] + " " + bound[2] + " " +
               bound[3]);
  std::size_t functions = 0;
  for (int c = 0; c < channels; ++c) {
    block.channels.push_back(read_channel(lines));
    for (int d = 0; d < c; ++d)
      if (block.channels[std::size_t(d)].element == block.channels.back().element)
        lines.fail("CHANNEL " + block.channels.back().element + " is given twice");
    functions += block.channels.back().functions.size();
    if (functions > most_functions)
      lines.fail("CENTER " + block.center + ": expected at most " + std::to_string(most_functions) +
                 " functions, got " + std::to_string(functions));
  }
  const std::size_t expected = Terms(block).terms.size();
  if (std::size_t(count) != expected)
    lines.fail("CENTER " + block.center + ": its channels have " + std::to_string(expected) +
               " terms, but the line at " + block.place + " has " + words[4]);
  read_coefficients(lines, expected, block);
  return block;
}

} // namespace

bool is_ufd(const std::string &text) {
  return text.compare(0, 12, signature, 12) == 0;
}

UfdFile parse_ufd(const std::string &text, const std::string &name) {
  text::LineReader lines(text, name);
  UfdFile file;
  file.name = name;
  std::string line;
  if (!lines.next(line) || line != signature)
    lines.fail(std::string("first line: expected '") + signature + "', got '" + line.substr(0, 40) +
               "'");
  const auto units = record(lines, "UNITS");
  expect_words(lines, units, 2, "UNITS style");
  file.units = units[1];
  const auto base = record(lines, "BASE");
  expect_words(lines, base, 2, "BASE SHA-256|-");
  const bool digits = base[1].find_first_not_of("0123456789abcdef") == std::string::npos;
  if (base[1] != "-" && (base[1].size() != 64 || !digits))
    lines.fail("BASE: expected 64 hexadecimal digits or -, got '" + base[1].substr(0, 70) + "'");
  if (base[1] != "-") file.base = base[1];
  bool ended = false;
  for (auto words = next_words(lines); !words.empty(); words = next_words(lines)) {
    if (ended) lines.fail("expected nothing behind END, got '" + words[0].substr(0, 40) + "'");
    if (words[0] == "CENTER")
      file.blocks.push_back(read_block(lines, words));
    else if (words[0] == "END" && words.size() == 1)
      ended = true;
    else
      lines.fail("expected CENTER or END, got '" + words[0].substr(0, 40) + "'");
  }
  if (!ended) lines.fail("the file ends where CENTER or END is expected");
  if (file.blocks.empty()) lines.fail("the file has no CENTER block");
  return file;
}

} // namespace lpsnmr::density

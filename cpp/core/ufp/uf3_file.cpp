#include "core/ufp/uf3_file.h"

#include "core/common/error.h"
#include "core/splines/knot_grid.h"
#include "core/text/line_reader.h"
#include "core/text/read_text.h"

#include <algorithm>
#include <cmath>
#include <sstream>

namespace lpsnmr::ufp {
namespace {

/// The lines of a .uf3 text; adds knot vectors.
class Lines : public text::LineReader {
public:
  using text::LineReader::LineReader;

  /// Read a knot vector; the grid's own checks get the place added.
  std::vector<double> knots(const char *what, int count, bool uniform, double cutoff) {
    std::vector<double> out = numbers(what, count);
    try {
      const splines::KnotGrid grid(out);
      if (grid.low() < 0) throw Error("the first knot is negative");
      if (cutoff > grid.high() * (1 + 1e-9))
        throw Error("the cutoff " + std::to_string(cutoff) + " lies beyond the last knot " +
                    std::to_string(grid.high()));
      if (uniform)
        for (std::size_t i = 4; i + 4 < out.size(); ++i)
          if (std::abs((out[i + 1] - out[i]) - (out[4] - out[3])) > 1e-6 * (out[4] - out[3]))
            throw Error("declared uniform (uk), but the spacing changes at knot " +
                        std::to_string(i + 1) + "; non-uniform knots are declared nk");
    } catch (const Error &error) {
      fail(std::string(what) + ": " + error.what());
    }
    return out;
  }
};

bool is_uniform(const Lines &lines, const std::string &word) {
  if (word == "uk") return true;
  if (word != "nk") lines.fail("knot spacing: expected uk or nk, got '" + word + "'");
  return false;
}

TwoBodyBlock read_pair(Lines &lines, const std::vector<std::string> &head) {
  if (head.size() != 6)
    lines.fail("2B header: expected '2B El1 El2 leading_trim trailing_trim uk|nk', got " +
               std::to_string(head.size()) + " words");
  TwoBodyBlock block;
  block.place = lines.place();
  block.elements = {head[1], head[2]};
  lines.integer(head[3], "leading trim", 0);
  lines.integer(head[4], "trailing trim", 0);
  const bool uniform = is_uniform(lines, head[5]);
  const auto sizes = lines.words("2B cutoff and knot count", 2);
  block.cutoff = lines.number(sizes[0], "cutoff");
  if (block.cutoff <= 0) lines.fail("cutoff: expected a positive number, got " + sizes[0]);
  const int knots = lines.integer(sizes[1], "knot count", 8);
  block.knots = lines.knots("2B knots", knots, uniform, block.cutoff);
  const int count =
      lines.integer(lines.words("2B coefficient count", 1)[0], "coefficient count", 1);
  if (count != knots - 4)
    lines.fail("2B coefficient count: expected knots - 4 = " + std::to_string(knots - 4) +
               ", got " + std::to_string(count));
  block.coefficients = lines.numbers("2B coefficients", count);
  return block;
}

ThreeBodyBlock read_triple(Lines &lines, const std::vector<std::string> &head) {
  if (head.size() != 7)
    lines.fail("3B header: expected '3B El1 El2 El3 leading_trim trailing_trim uk|nk', got " +
               std::to_string(head.size()) + " words");
  ThreeBodyBlock block;
  block.place = lines.place();
  block.elements = {head[1], head[2], head[3]};
  lines.integer(head[4], "leading trim", 0);
  lines.integer(head[5], "trailing trim", 0);
  const bool uniform = is_uniform(lines, head[6]);
  const auto sizes = lines.words("3B cutoffs and knot counts (jk ik ij)", 6);
  block.cutoff_jk = lines.number(sizes[0], "cutoff jk");
  block.cutoff_ik = lines.number(sizes[1], "cutoff ik");
  block.cutoff_ij = lines.number(sizes[2], "cutoff ij");
  if (std::min({block.cutoff_jk, block.cutoff_ik, block.cutoff_ij}) <= 0)
    lines.fail("3B cutoffs: expected positive numbers");
  const int njk = lines.integer(sizes[3], "knot count jk", 8);
  const int nik = lines.integer(sizes[4], "knot count ik", 8);
  const int nij = lines.integer(sizes[5], "knot count ij", 8);
  block.knots_jk = lines.knots("3B knots jk", njk, uniform, block.cutoff_jk);
  block.knots_ik = lines.knots("3B knots ik", nik, uniform, block.cutoff_ik);
  block.knots_ij = lines.knots("3B knots ij", nij, uniform, block.cutoff_ij);
  const auto dims = lines.words("3B coefficient dimensions (ij ik jk)", 3);
  const char *names[3] = {"ij", "ik", "jk"};
  const int expected[3] = {nij - 4, nik - 4, njk - 4};
  for (int d = 0; d < 3; ++d)
    if (lines.integer(dims[d], "coefficient dimension", 1) != expected[d])
      lines.fail(std::string("3B coefficient dimension ") + names[d] +
                 ": expected knots - 4 = " + std::to_string(expected[d]) + ", got " + dims[d]);
  if (block.elements[1] == block.elements[2] &&
      (block.knots_ij != block.knots_ik || block.cutoff_ij != block.cutoff_ik))
    lines.fail("3B " + head[1] + " " + head[2] + " " + head[3] +
               ": the two neighbours are the same element, so ij and ik need the same knots and "
               "cutoff");
  const std::size_t rows = std::size_t(expected[0]) * std::size_t(expected[1]);
  for (std::size_t row = 0; row < rows; ++row) {
    const std::vector<double> values = lines.numbers("3B coefficients", expected[2]);
    block.coefficients.insert(block.coefficients.end(), values.begin(), values.end());
  }
  return block;
}

void refuse_duplicates(const Uf3File &file) {
  for (std::size_t a = 0; a < file.pairs.size(); ++a)
    for (std::size_t b = 0; b < a; ++b) {
      const auto &p = file.pairs[a].elements, &q = file.pairs[b].elements;
      if ((p[0] == q[0] && p[1] == q[1]) || (p[0] == q[1] && p[1] == q[0]))
        throw Error(file.pairs[a].place + ": 2B " + p[0] + " " + p[1] +
                    " is given twice, first at " + file.pairs[b].place);
    }
  for (std::size_t a = 0; a < file.triples.size(); ++a)
    for (std::size_t b = 0; b < a; ++b) {
      const auto &p = file.triples[a].elements, &q = file.triples[b].elements;
      const bool same = p[1] == q[1] && p[2] == q[2], swapped = p[1] == q[2] && p[2] == q[1];
      if (p[0] == q[0] && (same || swapped))
        throw Error(file.triples[a].place + ": 3B " + p[0] + " " + p[1] + " " + p[2] +
                    " is given twice, first at " + file.triples[b].place +
                    " (the order of the two neighbours does not matter)");
    }
}

/// Add the blocks of one text to a potential.
void add_blocks(const std::string &text, const std::string &name, Uf3File &file) {
  Lines lines(text, name);
  const std::size_t before = file.pairs.size() + file.triples.size();
  std::string line;
  while (lines.next(line)) {
    if (line.find("#UF3 POT") == std::string::npos) {
      if (line.find_first_not_of(" \t") != std::string::npos &&
          line[line.find_first_not_of(" \t")] != '#')
        lines.fail("expected a comment or the start of a block ('#UF3 POT UNITS: ...'), got '" +
                   line.substr(0, 40) + "'");
      continue;
    }
    std::istringstream stream(line);
    std::string word, units;
    while (stream >> word)
      if (word == "UNITS:") stream >> units;
    if (units.empty()) lines.fail("the block header names no units ('#UF3 POT UNITS: metal ...')");
    if (!file.units.empty() && units != file.units)
      lines.fail("units: expected " + file.units + " as in the blocks before, got " + units);
    file.units = units;
    const auto head = lines.words("a '2B' or '3B' header");
    if (!head.empty() && head[0] == "2B")
      file.pairs.push_back(read_pair(lines, head));
    else if (!head.empty() && head[0] == "3B")
      file.triples.push_back(read_triple(lines, head));
    else
      lines.fail("block type: expected 2B or 3B, got '" + (head.empty() ? "" : head[0]) + "'");
  }
  if (file.pairs.size() + file.triples.size() == before)
    lines.fail("the file holds no 2B block ('#UF3 POT UNITS: ...', '2B El1 El2 ...')");
}

} // namespace

Uf3File parse_uf3_files(const std::vector<std::string> &texts,
                        const std::vector<std::string> &names) {
  Uf3File file;
  for (std::size_t f = 0; f < texts.size(); ++f) {
    file.name += (f > 0 ? " " : "") + names[f];
    add_blocks(texts[f], names[f], file);
  }
  if (file.pairs.empty())
    throw Error(file.name + ": no 2B block ('#UF3 POT UNITS: ...', '2B El1 El2 ...')");
  refuse_duplicates(file);
  return file;
}

Uf3File parse_uf3(const std::string &text, const std::string &name) {
  return parse_uf3_files({text}, {name});
}

Uf3File read_uf3(const std::string &path) {
  return parse_uf3(text::read_text(path), path);
}

} // namespace lpsnmr::ufp

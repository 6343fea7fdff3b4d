#include "dump_parser.h"

#include "error.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>

namespace lpsnmr {

namespace {

constexpr std::size_t compact_above = std::size_t{1} << 22;

bool starts_with(const char *begin, const char *end, const char *word) {
  const std::size_t n = std::strlen(word);
  return static_cast<std::size_t>(end - begin) >= n && std::memcmp(begin, word, n) == 0;
}

std::vector<std::string> split(const char *p, const char *end) {
  std::vector<std::string> words;
  for (p = skip_blank(p, end); p < end; p = skip_blank(p, end)) {
    const char *stop = skip_word(p, end);
    words.emplace_back(p, stop);
    p = stop;
  }
  return words;
}

std::string quoted(const char *begin, const char *end) {
  constexpr std::ptrdiff_t longest = 60;
  std::string text(begin, std::min(end, begin + longest));
  return '"' + text + (end - begin > longest ? "..." : "") + '"';
}

} // namespace

void DumpParser::fail(const std::string &message) const {
  throw Error("line " + std::to_string(line_) + ": " + message);
}

void DumpParser::feed(const char *text, std::size_t size) {
  compact();
  buffer_.append(text, size);
}

void DumpParser::compact() {
  if (cursor_ == 0 || (cursor_ < buffer_.size() && cursor_ < compact_above)) return;
  buffer_.erase(0, cursor_);
  scanned_ = scanned_ > cursor_ ? scanned_ - cursor_ : 0;
  cursor_ = 0;
}

bool DumpParser::pending() const {
  if (header_done_) return true;
  return std::any_of(buffer_.begin() + static_cast<std::ptrdiff_t>(cursor_), buffer_.end(),
                     [](char c) { return !is_blank(c) && c != '\n' && c != '\0'; });
}

bool DumpParser::take_line(Line &line) {
  const char *begin = buffer_.data() + cursor_;
  const void *newline = std::memchr(begin, '\n', buffer_.size() - cursor_);
  if (newline == nullptr) return false;
  const char *end = static_cast<const char *>(newline);
  cursor_ = static_cast<std::size_t>(end - buffer_.data()) + 1;
  ++line_;
  line = {begin, end > begin && end[-1] == '\r' ? end - 1 : end};
  return true;
}

bool DumpParser::next(DumpFrame &frame) {
  if (!header_done_) {
    bool complete = false;
    const std::size_t cursor = cursor_;
    const std::int64_t line = line_;
    header_ = DumpFrame();
    header_.time = std::numeric_limits<double>::quiet_NaN();
    if (!read_header(header_, complete)) {
      cursor_ = cursor; // wait for the rest, then read the header again from its start
      line_ = line;
      return false;
    }
    header_done_ = true;
    scanned_ = cursor_;
    newlines_ = 0;
  }
  frame = header_;
  if (!read_atoms(frame)) return false;
  header_done_ = false;
  ++frames_;
  return true;
}

bool DumpParser::read_header(DumpFrame &frame, bool &complete) {
  Line line{};
  bool have_step = false, have_count = false, have_box = false;
  while (take_line(line)) {
    if (skip_blank(line.begin, line.end) == line.end && !have_step) continue;
    if (!starts_with(line.begin, line.end, "ITEM: "))
      fail("expected a line that starts with ITEM:, got " + quoted(line.begin, line.end) +
           "; the dump is damaged, or a frame has more atoms than it states");
    const std::string item(line.begin + 6, line.end);
    Line value{};
    if (item.rfind("ATOMS", 0) == 0) {
      if (!have_step || !have_count || !have_box)
        fail("ITEM: ATOMS before TIMESTEP, NUMBER OF ATOMS and BOX BOUNDS of its frame");
      read_columns(item);
      complete = true;
      return true;
    }
    if (item.rfind("BOX BOUNDS", 0) == 0) {
      std::array<Line, 3> rows{};
      for (Line &row : rows)
        if (!take_line(row)) return false;
      read_box(item, rows, frame);
      have_box = true;
      continue;
    }
    if (!take_line(value)) return false;
    const auto words = split(value.begin, value.end);
    const char *word = words.empty() ? "" : words[0].c_str();
    const char *word_end = word + (words.empty() ? 0 : words[0].size());
    if (item.rfind("TIMESTEP", 0) == 0) {
      if (!read_word(word, word_end, frame.step))
        fail("expected the time step, an integer, got " + quoted(value.begin, value.end));
      have_step = true;
    } else if (item.rfind("NUMBER OF ATOMS", 0) == 0) {
      if (!read_word(word, word_end, n_atoms_) || n_atoms_ < 0)
        fail("expected the number of atoms, got " + quoted(value.begin, value.end));
      have_count = true;
    } else if (item.rfind("TIME", 0) == 0) {
      if (!read_word(word, word_end, frame.time))
        fail("expected the time, got " + quoted(value.begin, value.end));
    } else if (item.rfind("UNITS", 0) == 0) {
      units_ = word;
    } else {
      fail("unknown section ITEM: " + item +
           "; expected TIMESTEP, UNITS, TIME, NUMBER OF ATOMS, BOX BOUNDS or ATOMS");
    }
  }
  return false;
}

void DumpParser::read_box(const std::string &keywords, const std::array<Line, 3> &rows,
                          DumpFrame &frame) {
  const auto words = split(keywords.data(), keywords.data() + keywords.size());
  const bool general = words.size() > 3 && words[2] == "abc";
  const bool restricted = words.size() > 4 && words[2] == "xy";
  const Box box = general ? Box::general : restricted ? Box::restricted : Box::orthogonal;
  const std::size_t columns = box == Box::general ? 4 : box == Box::restricted ? 3 : 2;
  const std::size_t first = box == Box::general ? 4 : box == Box::restricted ? 5 : 2;
  double v[3][4] = {};
  for (std::size_t r = 0; r < 3; ++r) {
    const auto numbers = split(rows[r].begin, rows[r].end);
    bool good = numbers.size() == columns;
    for (std::size_t c = 0; good && c < columns; ++c)
      good = read_word(numbers[c].data(), numbers[c].data() + numbers[c].size(), v[r][c]) &&
             std::isfinite(v[r][c]);
    if (!good)
      fail("BOX BOUNDS row " + std::to_string(r + 1) + ": expected " + std::to_string(columns) +
           " finite numbers, got " + quoted(rows[r].begin, rows[r].end));
    const std::string boundary = words.size() >= first + 3 ? words[first + r] : "pp";
    frame.periodic[r] = boundary == "pp";
  }
  if (box == Box::general) {
    for (std::size_t r = 0; r < 3; ++r) {
      for (std::size_t c = 0; c < 3; ++c) frame.cell[3 * r + c] = v[r][c];
      frame.origin[r] = v[r][3];
    }
    return;
  }
  const double xy = v[0][2], xz = v[1][2], yz = v[2][2]; // bounds are those of the bounding box
  const double xlo = v[0][0] - std::min({0.0, xy, xz, xy + xz});
  const double xhi = v[0][1] - std::max({0.0, xy, xz, xy + xz});
  const double ylo = v[1][0] - std::min(0.0, yz), yhi = v[1][1] - std::max(0.0, yz);
  frame.origin = {xlo, ylo, v[2][0]};
  frame.cell = {xhi - xlo, 0, 0, xy, yhi - ylo, 0, xz, yz, v[2][1] - v[2][0]};
}

void DumpParser::read_columns(const std::string &names) {
  if (names == column_names_) return;
  const auto words = split(names.data() + 5, names.data() + names.size()); // after "ATOMS"
  auto find = [&](const std::string &name) {
    const auto found = std::find(words.begin(), words.end(), name);
    return found == words.end() ? -1 : static_cast<int>(found - words.begin());
  };
  auto triple = [&](const char *suffix, char prefix = 0) {
    std::array<int, 3> columns{};
    for (int k = 0; k < 3; ++k) {
      const std::string axis(1, "xyz"[k]);
      columns[k] = find(prefix ? prefix + axis : axis + suffix);
    }
    return columns;
  };
  auto whole = [](const std::array<int, 3> &c) { return c[0] >= 0 && c[1] >= 0 && c[2] >= 0; };
  Columns columns;
  columns.count = words.size();
  columns.id = find("id");
  columns.type = find("type");
  columns.element = find("element");
  columns.image = triple("", 'i');
  const bool images = whole(columns.image);
  if (!images) columns.image = {-1, -1, -1};
  struct Choice {
    const char *suffix;
    Coordinates coordinates;
  };
  const Choice with_images[] = {{"", Coordinates::absolute}, {"s", Coordinates::scaled}};
  const Choice choices[] = {{"u", Coordinates::unwrapped},
                            {"su", Coordinates::scaled_unwrapped},
                            {"", Coordinates::absolute},
                            {"s", Coordinates::scaled}};
  columns.position = {-1, -1, -1};
  for (const Choice &choice : with_images)
    if (images && !whole(columns.position)) {
      columns.position = triple(choice.suffix);
      columns.coordinates = choice.coordinates;
    }
  for (const Choice &choice : choices)
    if (!whole(columns.position)) {
      columns.position = triple(choice.suffix);
      columns.coordinates = choice.coordinates;
    }
  if (columns.coordinates == Coordinates::unwrapped ||
      columns.coordinates == Coordinates::scaled_unwrapped)
    columns.image = {-1, -1, -1}; // already in the coordinates
  if (columns.id < 0) fail("no column id in \"ITEM: " + names + '"');
  if (columns.type < 0 && columns.element < 0)
    fail("no column element or type in \"ITEM: " + names + '"');
  if (!whole(columns.position))
    fail("no coordinates in \"ITEM: " + names +
         "\"; expected xu yu zu, x y z, xsu ysu zsu or xs ys zs");
  columns_ = columns;
  column_names_ = names;
}

bool DumpParser::read_atoms(DumpFrame &frame) {
  const auto n = static_cast<std::size_t>(n_atoms_);
  const char *data = buffer_.data();
  while (newlines_ < n) { // count complete lines; the position is kept for the next call
    const void *found = std::memchr(data + scanned_, '\n', buffer_.size() - scanned_);
    if (found == nullptr) {
      scanned_ = buffer_.size();
      return false;
    }
    scanned_ = static_cast<std::size_t>(static_cast<const char *>(found) - data) + 1;
    ++newlines_;
  }
  frame.id.resize(n);
  frame.kind.resize(n);
  frame.positions.resize(3 * n);
  const bool unwrapped = columns_.image[0] >= 0 || columns_.coordinates == Coordinates::unwrapped ||
                         columns_.coordinates == Coordinates::scaled_unwrapped;
  frame.unwrapped.resize(unwrapped ? 3 * n : 0);
  Line line{};
  for (std::size_t row = 0; row < n; ++row) {
    take_line(line);
    read_atom(line, row, frame);
  }
  sort_by_id(frame);
  return true;
}

void DumpParser::read_atom(Line line, std::size_t row, DumpFrame &frame) {
  std::array<double, 3> x{}, image{};
  const char *p = skip_blank(line.begin, line.end);
  std::size_t column = 0;
  for (; p < line.end; ++column) {
    const char *stop = skip_word(p, line.end);
    const int c = static_cast<int>(column);
    bool good = true;
    if (c == columns_.id) {
      good = read_word(p, stop, frame.id[row]);
    } else if (c == columns_.element) {
      frame.kind[row] = element_index(p, stop);
    } else if (c == columns_.type && columns_.element < 0) {
      good = read_word(p, stop, frame.kind[row]);
    } else {
      for (std::size_t k = 0; k < 3; ++k) {
        if (c == columns_.position[k]) good = read_word(p, stop, x[k]) && std::isfinite(x[k]);
        if (c == columns_.image[k]) good = read_word(p, stop, image[k]) && std::isfinite(image[k]);
      }
    }
    if (!good) {
      if (starts_with(line.begin, line.end, "ITEM:"))
        fail("a new frame begins after " + std::to_string(row) + " of " + std::to_string(n_atoms_) +
             " atoms of step " + std::to_string(frame.step));
      fail("column " + std::to_string(column + 1) + " of step " + std::to_string(frame.step) +
           ": expected a finite number, got " + quoted(p, stop));
    }
    p = skip_blank(stop, line.end);
  }
  if (column != columns_.count) {
    if (starts_with(line.begin, line.end, "ITEM:"))
      fail("a new frame begins after " + std::to_string(row) + " of " + std::to_string(n_atoms_) +
           " atoms of step " + std::to_string(frame.step));
    fail("expected " + std::to_string(columns_.count) + " columns, got " + std::to_string(column));
  }
  place(row, x, image, frame);
}

int DumpParser::element_index(const char *begin, const char *end) {
  const auto size = static_cast<std::size_t>(end - begin);
  for (std::size_t e = 0; e < elements_.size(); ++e)
    if (elements_[e].size() == size && std::memcmp(elements_[e].data(), begin, size) == 0)
      return static_cast<int>(e);
  elements_.emplace_back(begin, end);
  return static_cast<int>(elements_.size()) - 1;
}

void DumpParser::place(std::size_t row, const std::array<double, 3> &x,
                       const std::array<double, 3> &image, DumpFrame &frame) const {
  const bool scaled = columns_.coordinates == Coordinates::scaled ||
                      columns_.coordinates == Coordinates::scaled_unwrapped;
  for (std::size_t a = 0; a < 3; ++a) {
    double value = x[a];
    if (scaled)
      value = frame.origin[a] + x[0] * frame.cell[a] + x[1] * frame.cell[3 + a] +
              x[2] * frame.cell[6 + a];
    frame.positions[3 * row + a] = value;
    if (frame.unwrapped.empty()) continue;
    if (columns_.image[0] >= 0)
      value +=
          image[0] * frame.cell[a] + image[1] * frame.cell[3 + a] + image[2] * frame.cell[6 + a];
    frame.unwrapped[3 * row + a] = value;
  }
}

void DumpParser::sort_by_id(DumpFrame &frame) const {
  const std::size_t n = frame.id.size();
  if (!std::is_sorted(frame.id.begin(), frame.id.end())) {
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return frame.id[a] < frame.id[b]; });
    DumpFrame sorted = frame;
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t from = order[i];
      sorted.id[i] = frame.id[from];
      sorted.kind[i] = frame.kind[from];
      for (std::size_t a = 0; a < 3; ++a) {
        sorted.positions[3 * i + a] = frame.positions[3 * from + a];
        if (!frame.unwrapped.empty()) sorted.unwrapped[3 * i + a] = frame.unwrapped[3 * from + a];
      }
    }
    frame = std::move(sorted);
  }
  const auto twin = std::adjacent_find(frame.id.begin(), frame.id.end());
  if (twin != frame.id.end())
    fail("atom id " + std::to_string(*twin) + " twice in step " + std::to_string(frame.step));
}

} // namespace lpsnmr

#include "core/dumps/dump_parser.h"

#include "core/common/error.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>

namespace lpsnmr::dumps {

namespace {

constexpr std::size_t compact_above = std::size_t{1} << 22;
constexpr std::int64_t largest_reserve = std::int64_t{1}
                                         << 20; // a damaged count must not use up memory

bool starts_with(const char *begin, const char *end, const char *word) {
  const std::size_t n = std::strlen(word);
  return static_cast<std::size_t>(end - begin) >= n && std::memcmp(begin, word, n) == 0;
}

std::vector<std::string> split(const char *p, const char *end) {
  std::vector<std::string> words;
  for (p = text::skip_blank(p, end); p < end; p = text::skip_blank(p, end)) {
    const char *stop = text::skip_word(p, end);
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

void Parser::fail(const std::string &message) const {
  throw Error("line " + std::to_string(line_) + ": " + message);
}

void Parser::feed(const char *text, std::size_t size) {
  compact();
  buffer_.append(text, size);
}

void Parser::compact() {
  if (cursor_ == 0 || (cursor_ < buffer_.size() && cursor_ < compact_above)) return;
  buffer_.erase(0, cursor_);
  cursor_ = 0;
}

bool Parser::pending() const {
  if (header_done_) return true;
  return std::any_of(buffer_.begin() + static_cast<std::ptrdiff_t>(cursor_), buffer_.end(),
                     [](char c) { return !text::is_blank(c) && c != '\n' && c != '\0'; });
}

bool Parser::take_line(Line &line) {
  const char *begin = buffer_.data() + cursor_;
  const void *newline = std::memchr(begin, '\n', buffer_.size() - cursor_);
  if (newline == nullptr) return false;
  const char *end = static_cast<const char *>(newline);
  cursor_ = static_cast<std::size_t>(end - buffer_.data()) + 1;
  ++line_;
  line = {begin, end > begin && end[-1] == '\r' ? end - 1 : end};
  return true;
}

bool Parser::next(Frame &frame) {
  if (!header_done_) {
    bool complete = false;
    const std::size_t cursor = cursor_;
    const std::int64_t line = line_;
    partial_ = Frame();
    partial_.time = std::numeric_limits<double>::quiet_NaN();
    if (!read_header(partial_, complete)) {
      cursor_ = cursor; // wait for the rest, then read the header again from its start
      line_ = line;
      return false;
    }
    header_done_ = true;
    const auto expected = static_cast<std::size_t>(std::min(n_atoms_, largest_reserve));
    partial_.id.reserve(expected);
    partial_.kind.reserve(expected);
    partial_.positions.reserve(3 * expected);
    if (has_unwrapped()) partial_.unwrapped.reserve(3 * expected);
  }
  if (!read_atoms(partial_)) return false;
  frame = std::move(partial_);
  header_done_ = false;
  ++frames_;
  return true;
}

bool Parser::read_header(Frame &frame, bool &complete) {
  Line line{};
  bool have_step = false, have_count = false, have_box = false;
  while (take_line(line)) {
    if (text::skip_blank(line.begin, line.end) == line.end && !have_step) continue;
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
      if (!text::read_word(word, word_end, frame.step))
        fail("expected the time step, an integer, got " + quoted(value.begin, value.end));
      have_step = true;
    } else if (item.rfind("NUMBER OF ATOMS", 0) == 0) {
      if (!text::read_word(word, word_end, n_atoms_) || n_atoms_ < 0)
        fail("expected the number of atoms, got " + quoted(value.begin, value.end));
      have_count = true;
    } else if (item.rfind("TIME", 0) == 0) {
      if (!text::read_word(word, word_end, frame.time))
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

void Parser::read_box(const std::string &keywords, const std::array<Line, 3> &rows, Frame &frame) {
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
      good = text::read_word(numbers[c].data(), numbers[c].data() + numbers[c].size(), v[r][c]) &&
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

void Parser::read_columns(const std::string &names) {
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
  columns.use.assign(words.size(), Use::skip);
  auto assign = [&](const std::array<int, 3> &where, Use first) {
    for (std::size_t k = 0; k < 3; ++k)
      columns.use[static_cast<std::size_t>(where[k])] =
          static_cast<Use>(static_cast<unsigned char>(first) + k);
  };
  const std::array<int, 3> image = triple("", 'i');
  struct Choice {
    const char *suffix;
    Coordinates coordinates;
    bool images;
  };
  const Choice choices[] = {
      {"", Coordinates::absolute, true},    {"s", Coordinates::scaled, true},
      {"u", Coordinates::unwrapped, false}, {"su", Coordinates::scaled_unwrapped, false},
      {"", Coordinates::absolute, false},   {"s", Coordinates::scaled, false}};
  const Choice *chosen = nullptr;
  for (const Choice &choice : choices)
    if (chosen == nullptr && whole(triple(choice.suffix)) && (!choice.images || whole(image)))
      chosen = &choice;
  const int id = find("id");
  int kind = -1;
  for (const std::string &name : kind_columns_) {
    if (kind < 0) columns.elements = name != "type";
    if (kind < 0) kind = find(name);
  }
  if (id < 0) fail("no column id in \"ITEM: " + names + '"');
  if (kind < 0) fail("no column element or type in \"ITEM: " + names + '"');
  if (chosen == nullptr)
    fail("no coordinates in \"ITEM: " + names +
         "\"; expected xu yu zu, x y z, xsu ysu zsu or xs ys zs");
  columns.use[static_cast<std::size_t>(id)] = Use::id;
  columns.images = chosen->images;
  columns.coordinates = chosen->coordinates;
  columns.use[static_cast<std::size_t>(kind)] = columns.elements ? Use::element : Use::type;
  assign(triple(chosen->suffix), Use::x);
  if (columns.images) assign(image, Use::ix);
  columns_ = columns;
  column_names_ = names;
}

bool Parser::has_unwrapped() const {
  return columns_.images || columns_.coordinates == Coordinates::unwrapped ||
         columns_.coordinates == Coordinates::scaled_unwrapped;
}

bool Parser::read_atoms(Frame &frame) {
  Line line{};
  while (static_cast<std::int64_t>(frame.id.size()) < n_atoms_) {
    if (read_plain_atom(frame)) continue;
    if (!take_line(line)) return false; // the atoms read so far stay in partial_
    read_atom(line, frame);
  }
  sort_by_id(frame);
  return true;
}

/// Read the next line in one pass when it is as LAMMPS writes it: plain decimals, single-byte
/// blanks, known elements, a newline. @return false, with nothing changed, for read_atom to judge
///
/// The NUL behind the last character of the buffer ends every loop, so that no bounds are checked.
bool Parser::read_plain_atom(Frame &frame) {
  const char *p = buffer_.c_str() + cursor_;
  double values[6] = {}; // x y z ix iy iz
  std::int64_t id = 0, kind = 0;
  for (const Use use : columns_.use) {
    while (*p == ' ') ++p;
    const char *begin = p;
    if (use == Use::skip || use == Use::element) {
      while (static_cast<unsigned char>(*p) > ' ') ++p;
      if (p == begin) return false;
      if (use == Use::element && (kind = known_element(begin, p)) < 0) return false;
    } else if (use == Use::id || use == Use::type) {
      if (!text::read_plain_integer(p, use == Use::id ? id : kind)) return false;
    } else if (!text::read_plain_decimal(
                   p, values[static_cast<std::size_t>(use) - static_cast<std::size_t>(Use::x)])) {
      return false;
    }
    if (*p != ' ' && *p != '\n') return false;
  }
  while (*p == ' ') ++p;
  if (*p != '\n') return false;
  cursor_ = static_cast<std::size_t>(p - buffer_.c_str()) + 1;
  ++line_;
  frame.id.push_back(id);
  frame.kind.push_back(static_cast<int>(kind));
  place(values, values + 3, frame);
  return true;
}

void Parser::read_atom(Line line, Frame &frame) {
  double values[6] = {}; // x y z ix iy iz
  const char *p = text::skip_blank(line.begin, line.end);
  std::size_t column = 0;
  const std::size_t count = columns_.use.size();
  for (; p < line.end; ++column) {
    const char *stop = text::skip_word(p, line.end);
    if (column < count && columns_.use[column] != Use::skip &&
        !read_field(columns_.use[column], p, stop, frame, values))
      fail_atom(line,
                "column " + std::to_string(column + 1) + " of step " + std::to_string(frame.step) +
                    ": expected a finite number, got " + quoted(p, stop),
                frame);
    p = text::skip_blank(stop, line.end);
  }
  if (column != count)
    fail_atom(line, "expected " + std::to_string(count) + " columns, got " + std::to_string(column),
              frame);
  place(values, values + 3, frame);
}

bool Parser::read_field(Use use, const char *begin, const char *end, Frame &frame, double *values) {
  switch (use) {
  case Use::id: {
    std::int64_t id = 0;
    if (!text::read_word(begin, end, id)) return false;
    frame.id.push_back(id);
    return true;
  }
  case Use::type: {
    int type = 0;
    if (!text::read_word(begin, end, type)) return false;
    frame.kind.push_back(type);
    return true;
  }
  case Use::element:
    frame.kind.push_back(element_index(begin, end));
    return true;
  case Use::skip:
    return true;
  default: {
    double &value = values[static_cast<std::size_t>(use) - static_cast<std::size_t>(Use::x)];
    return text::read_word(begin, end, value) && std::isfinite(value);
  }
  }
}

void Parser::fail_atom(Line line, const std::string &message, const Frame &frame) const {
  if (starts_with(line.begin, line.end, "ITEM:"))
    fail("a new frame begins after " + std::to_string(frame.positions.size() / 3) + " of " +
         std::to_string(n_atoms_) + " atoms of step " + std::to_string(frame.step));
  fail(message);
}

int Parser::known_element(const char *begin, const char *end) const {
  const auto size = static_cast<std::size_t>(end - begin);
  for (std::size_t e = 0; e < elements_.size(); ++e)
    if (elements_[e].size() == size && std::equal(begin, end, elements_[e].data()))
      return static_cast<int>(e);
  return -1;
}

int Parser::element_index(const char *begin, const char *end) {
  const int known = known_element(begin, end);
  if (known >= 0) return known;
  elements_.emplace_back(begin, end);
  return static_cast<int>(elements_.size()) - 1;
}

void Parser::place(const double *x, const double *image, Frame &frame) const {
  const auto &cell = frame.cell;
  double r[3] = {x[0], x[1], x[2]};
  if (columns_.coordinates == Coordinates::scaled ||
      columns_.coordinates == Coordinates::scaled_unwrapped)
    for (std::size_t a = 0; a < 3; ++a)
      r[a] = frame.origin[a] + x[0] * cell[a] + x[1] * cell[3 + a] + x[2] * cell[6 + a];
  frame.positions.insert(frame.positions.end(), r, r + 3);
  if (!has_unwrapped()) return;
  if (columns_.images)
    for (std::size_t a = 0; a < 3; ++a)
      r[a] += image[0] * cell[a] + image[1] * cell[3 + a] + image[2] * cell[6 + a];
  frame.unwrapped.insert(frame.unwrapped.end(), r, r + 3);
}

void Parser::sort_by_id(Frame &frame) const {
  const std::size_t n = frame.id.size();
  if (!std::is_sorted(frame.id.begin(), frame.id.end())) {
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return frame.id[a] < frame.id[b]; });
    Frame sorted = frame;
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

} // namespace lpsnmr::dumps

// Incremental parser of LAMMPS text dumps (`dump custom`, `dump atom`).
#pragma once

#include "core/text/number_reader.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace lpsnmr::dumps {

/// One snapshot; atoms sorted by id.
struct Frame {
  std::int64_t step = 0;
  double time = 0.0; ///< of an `ITEM: TIME` section, in the dump's time unit; NaN without one
  std::array<double, 9> cell{};   ///< rows are the cell vectors, distance unit of the dump
  std::array<double, 3> origin{}; ///< lower corner of the cell
  std::array<bool, 3> periodic{};
  std::vector<std::int64_t> id;  ///< (n) ascending
  std::vector<int> kind;         ///< (n) LAMMPS type, or index into Parser::elements()
  std::vector<double> positions; ///< (n, 3) as dumped, scaled ones turned into distances
  std::vector<double> unwrapped; ///< (n, 3), or empty when the dump has neither images nor xu
};

/// Turns pieces of a dump, of any length, into frames.
///
/// Columns are found by name: `id`, what tells the kind of an atom (`element`, `typelabel` or
/// `type`), and coordinates `xu yu zu`, `x y z`, `xsu ysu zsu` or `xs ys zs`, with `ix iy iz` used
/// when present; others are skipped. Boxes may be
/// orthogonal, restricted triclinic (`xy xz yz`) or general (`abc origin`). A frame is complete
/// only when the last of its lines ends with a newline. Errors name the line.
class Parser {
public:
  /// @param kind_columns columns that may tell the kind of an atom; the first one that is there
  ///   does. `type` holds integers, any other one names.
  explicit Parser(std::vector<std::string> kind_columns = {"element", "typelabel", "type"})
      : kind_columns_(std::move(kind_columns)) {}

  /// Add text; it is copied.
  void feed(const char *text, std::size_t size);

  /// Parse the next frame. @return false when its text is not complete yet
  /// @throws Error for text that is not a dump, with "line N: " in front
  bool next(Frame &frame);

  /// True when text of an unfinished frame, not only blank space, is waiting.
  bool pending() const;
  std::int64_t line() const { return line_; } ///< lines consumed so far
  std::int64_t frames() const { return frames_; }
  bool has_elements() const { return columns_.elements; } ///< kinds are names, not types
  /// `ATOMS` and the names of the columns of the last frame.
  const std::string &column_names() const { return column_names_; }
  /// Element names in the order of their first appearance.
  const std::vector<std::string> &elements() const { return elements_; }
  const std::string &units() const { return units_; } ///< of an `ITEM: UNITS` line, or empty

private:
  enum class Coordinates { absolute, unwrapped, scaled, scaled_unwrapped };
  enum class Box { orthogonal, restricted, general };
  /// What a column is for; the three axes of position and image follow each other.
  enum class Use : unsigned char { skip, id, type, element, x, y, z, ix, iy, iz };
  struct Columns {
    std::vector<Use> use; ///< one per column
    bool elements = false, images = false;
    Coordinates coordinates = Coordinates::absolute;
  };
  struct Line {
    const char *begin, *end;
  };

  bool take_line(Line &line);
  bool read_header(Frame &frame, bool &complete);
  void read_box(const std::string &keywords, const std::array<Line, 3> &rows, Frame &frame);
  void read_columns(const std::string &names);
  bool read_atoms(Frame &frame);
  bool read_plain_atom(Frame &frame);
  void read_atom(Line line, Frame &frame);
  bool read_field(Use use, const char *begin, const char *end, Frame &frame, double *values);
  [[noreturn]] void fail_atom(Line line, const std::string &message, const Frame &frame) const;
  int known_element(const char *begin, const char *end) const; ///< −1 when there is none
  int element_index(const char *begin, const char *end);
  bool has_unwrapped() const;
  void place(const double *x, const double *image, Frame &frame) const;
  void sort_by_id(Frame &frame) const;
  [[noreturn]] void fail(const std::string &message) const;
  void compact();

  std::string buffer_;
  std::size_t cursor_ = 0; // start of the next unread line
  std::int64_t line_ = 0, frames_ = 0;
  bool header_done_ = false;
  std::int64_t n_atoms_ = 0;
  Frame partial_; // the frame whose lines are being read
  std::vector<std::string> kind_columns_;
  std::string column_names_, units_;
  Columns columns_;
  std::vector<std::string> elements_;
};

} // namespace lpsnmr::dumps

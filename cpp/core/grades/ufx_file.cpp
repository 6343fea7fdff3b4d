#include "core/grades/ufx_file.h"

#include "core/common/error.h"
#include "core/density/features.h"
#include "core/text/json_picker.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace lpsnmr::grades {
namespace {

using Kind = text::JsonValue::Kind;

constexpr int format_version = 2;
constexpr double most_coefficients = 2e7; // of all triples: what a damaged file may ask memory for
constexpr std::size_t most_functions = 8, most_of_block = 64, most_blocks = 16;
constexpr int most_intervals = 1000;

/// Adds what an extrapolation file is made of.
class Picker : public text::JsonPicker {
public:
  explicit Picker(const std::string &name) : text::JsonPicker(name, "extrapolation file") {}

  int element(const text::JsonValue &value, const std::vector<std::string> &elements) const {
    const std::string &symbol = of_kind(value, Kind::string, "element").string;
    for (std::size_t e = 0; e < elements.size(); ++e)
      if (elements[e] == symbol) return static_cast<int>(e);
    fail(value, "element \"" + symbol + "\" is not among the elements of the file");
  }

  const std::vector<text::JsonValue> &list(const text::JsonValue &object, const char *name,
                                           std::size_t count) const {
    const text::JsonValue &value = entry(object, name, Kind::array);
    if (value.items.size() != count)
      fail(value, std::string(name) + ": expected " + std::to_string(count) + " entries, got " +
                      std::to_string(value.items.size()));
    return value.items;
  }

  std::vector<double> knots(const text::JsonValue &value) const {
    std::vector<double> out;
    for (const text::JsonValue &item : of_kind(value, Kind::array, "knots").items)
      out.push_back(number(item, "knots"));
    try {
      if (splines::KnotGrid(out).low() < 0) throw Error("the first knot is negative");
    } catch (const Error &error) {
      fail(value, std::string("knots: ") + error.what());
    }
    return out;
  }

  double positive(const text::JsonValue &object, const std::string &name) const {
    const double value = number_entry(object, name);
    if (!(value > 0)) fail(object, name + ": expected a positive number");
    return value;
  }
};

void read_elements(const Picker &pick, const text::JsonValue &root, UfxFile &file) {
  const text::JsonValue &list = pick.entry(root, "elements", Kind::array);
  for (const text::JsonValue &item : list.items) {
    const std::string &symbol = pick.of_kind(item, Kind::string, "element").string;
    for (const std::string &before : file.elements)
      if (before == symbol) pick.fail(item, "element \"" + symbol + "\" is given twice");
    file.elements.push_back(symbol);
  }
  if (file.elements.empty() || file.elements.size() > 118)
    pick.fail(list,
              "elements: expected 1 to 118 symbols, got " + std::to_string(file.elements.size()));
}

void read_layout(const Picker &pick, const text::JsonValue &root, UfxFile &file) {
  for (const text::JsonValue &item : pick.entry(root, "pairs", Kind::array).items) {
    const auto &names = pick.list(item, "elements", 2);
    file.pairs.push_back(
        {{pick.element(names[0], file.elements), pick.element(names[1], file.elements)},
         pick.knots(pick.entry(item, "knots", Kind::array))});
    file.shortest.push_back(pick.positive(item, "shortest"));
    if (file.shortest.back() > file.pairs.back().knots.back())
      pick.fail(item, "shortest: expected a distance up to the last knot of the pair");
  }
  double coefficients = 0;
  for (const text::JsonValue &item : pick.entry(root, "triples", Kind::array).items) {
    const auto &names = pick.list(item, "elements", 3);
    const auto &knots = pick.list(item, "knots", 3);
    ufp::TripletKnots triple{{pick.element(names[0], file.elements),
                              pick.element(names[1], file.elements),
                              pick.element(names[2], file.elements)},
                             pick.knots(knots[0]),
                             pick.knots(knots[1]),
                             pick.knots(knots[2])};
    coefficients += double(triple.knots_ij.size()) * double(triple.knots_ik.size()) *
                    double(triple.knots_jk.size());
    if (coefficients > most_coefficients)
      pick.fail(item, "triples: more coefficients than any potential has");
    file.triples.push_back(std::move(triple));
  }
}

density::Channel read_channel(const Picker &pick, const text::JsonValue &item) {
  density::Channel channel;
  channel.element = pick.string_entry(item, "element");
  channel.highest_l = pick.integer_entry(item, "highest_l");
  channel.start = pick.positive(item, "start");
  channel.cutoff = pick.positive(item, "cutoff");
  channel.intervals = pick.integer_entry(item, "intervals");
  if (channel.highest_l < 0 || channel.highest_l > 2)
    pick.fail(item, "highest_l: expected 0, 1 or 2, got " + std::to_string(channel.highest_l));
  if (!(channel.cutoff > channel.start) || !(channel.cutoff < 100))
    pick.fail(item, "cutoff: expected one beyond start and below 100 Å");
  if (channel.intervals < 4 || channel.intervals > most_intervals)
    pick.fail(item, "intervals: expected 4 to " + std::to_string(most_intervals) + ", got " +
                        std::to_string(channel.intervals));
  for (const text::JsonValue &given : pick.entry(item, "functions", Kind::array).items) {
    density::RadialFunction function;
    for (const text::JsonValue &value : pick.of_kind(given, Kind::array, "functions").items)
      function.coefficients.push_back(pick.number(value, "functions"));
    if (function.coefficients.size() != std::size_t(channel.intervals - 3))
      pick.fail(given, "functions: expected intervals - 3 coefficients, got " +
                           std::to_string(function.coefficients.size()));
    channel.functions.push_back(std::move(function));
  }
  if (channel.functions.empty() || channel.functions.size() > most_functions)
    pick.fail(item, "functions: expected 1 to " + std::to_string(most_functions) + ", got " +
                        std::to_string(channel.functions.size()));
  return channel;
}

void read_density(const Picker &pick, const text::JsonValue &root, UfxFile &file) {
  for (const text::JsonValue &item : pick.entry(root, "density", Kind::array).items) {
    density::Block block;
    block.center = pick.string_entry(item, "center");
    const int orders = pick.integer_entry(item, "orders");
    if (orders != 3 && orders != 4 && orders != 34)
      pick.fail(item, "orders: expected 3, 4 or 34, got " + std::to_string(orders));
    block.three_body = orders != 4;
    block.four_body = orders != 3;
    std::size_t functions = 0;
    for (const text::JsonValue &channel : pick.entry(item, "channels", Kind::array).items) {
      block.channels.push_back(read_channel(pick, channel));
      functions += block.channels.back().functions.size();
      for (std::size_t c = 0; c + 1 < block.channels.size(); ++c)
        if (block.channels[c].element == block.channels.back().element)
          pick.fail(channel, "channels: " + block.channels[c].element + " is given twice");
      if (functions > most_of_block)
        pick.fail(channel, "functions: expected at most " + std::to_string(most_of_block) +
                               " around an element");
    }
    if (block.channels.empty() || block.channels.size() > file.elements.size())
      pick.fail(item, "channels: expected 1 to " + std::to_string(file.elements.size()) + ", got " +
                          std::to_string(block.channels.size()));
    if (file.density.size() == most_blocks) pick.fail(item, "density: too many blocks");
    file.density.push_back(std::move(block));
  }
}

/// Make the bases to check the layout; their own messages get the place added.
int count_columns(const Picker &pick, const text::JsonValue &root, const UfxFile &file) {
  try {
    return ufp::Basis(static_cast<int>(file.elements.size()), file.pairs, file.triples).columns() +
           density::Basis(file.elements, file.density).columns();
  } catch (const Error &error) {
    pick.fail(root, error.what());
  }
}

ElementCertainty read_certainty(const Picker &pick, const text::JsonValue &item,
                                const std::string &element, int columns) {
  ElementCertainty out;
  out.element = element;
  if (pick.string_entry(item, "element") != element)
    pick.fail(item, "certainty: expected the element " + element + ", got " +
                        pick.string_entry(item, "element"));
  for (const text::JsonValue &entry : pick.entry(item, "columns", Kind::array).items) {
    const int column = pick.integer(entry, "columns");
    if (column < 0 || column >= columns || (!out.columns.empty() && column <= out.columns.back()))
      pick.fail(entry, "columns: expected ascending numbers below " + std::to_string(columns));
    out.columns.push_back(column);
  }
  out.unseen_deviation = pick.positive(item, "unseen_deviation");
  out.largest_deviation = pick.positive(item, "largest_deviation");
  return out;
}

float little_endian_float(const unsigned char *bytes) {
  const std::uint32_t bits = std::uint32_t(bytes[0]) | std::uint32_t(bytes[1]) << 8 |
                             std::uint32_t(bytes[2]) << 16 | std::uint32_t(bytes[3]) << 24;
  float value;
  static_assert(sizeof value == sizeof bits, "float is IEEE 754 binary32");
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// Fill factors and means from the bytes behind the header.
void read_arrays(const std::string &text, std::size_t begin, UfxFile &file) {
  std::size_t wanted = 0;
  for (const ElementCertainty &part : file.certainty)
    wanted += 2 * part.size() * (part.size() + 1) + 4 * part.size();
  if (text.size() - begin != wanted)
    throw Error(file.name + ": expected " + std::to_string(wanted) +
                " bytes behind the header, got " + std::to_string(text.size() - begin) +
                "; is the file cut short?");
  const auto *bytes = reinterpret_cast<const unsigned char *>(text.data()) + begin;
  const auto next = [&](const ElementCertainty &part) {
    const float value = little_endian_float(bytes);
    if (!std::isfinite(value))
      throw Error(file.name + ": a number of element " + part.element + " is not finite");
    bytes += 4;
    return value;
  };
  for (ElementCertainty &part : file.certainty) {
    part.factor.reserve(part.size() * (part.size() + 1) / 2);
    for (std::size_t row = 0; row < part.size(); ++row) {
      for (std::size_t column = 0; column <= row; ++column) part.factor.push_back(next(part));
      if (!(part.factor.back() > 0))
        throw Error(file.name + ": the factor of element " + part.element + ", row " +
                    std::to_string(row) + ", is not that of a covariance");
    }
    part.mean.reserve(part.size());
    for (std::size_t k = 0; k < part.size(); ++k) part.mean.push_back(next(part));
  }
}

} // namespace

UfxFile parse_ufx(const std::string &text, const std::string &name) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const text::JsonValue root = text::parse_json(text.substr(0, end), name);
  const Picker pick(name);
  pick.of_kind(root, Kind::object, "the file");
  pick.check_format(root, "lpsnmr-ufx", format_version);
  UfxFile file;
  file.name = name;
  file.potential = pick.string_entry(pick.entry(root, "potential", Kind::object), "sha256");
  if (file.potential.size() != 64 ||
      file.potential.find_first_not_of("0123456789abcdef") != std::string::npos)
    pick.fail(root, "potential: expected 64 hexadecimal digits of a SHA-256");
  const std::string &units = pick.string_entry(root, "units");
  if (units != "eV, Å") pick.fail(root, "units: expected eV, Å, got " + units);
  read_elements(pick, root, file);
  read_layout(pick, root, file);
  read_density(pick, root, file);
  const int columns = count_columns(pick, root, file);
  const auto &parts = pick.list(root, "certainty", file.elements.size());
  for (std::size_t e = 0; e < parts.size(); ++e)
    file.certainty.push_back(read_certainty(pick, parts[e], file.elements[e], columns));
  read_arrays(text, std::min(end + 1, text.size()), file);
  return file;
}

} // namespace lpsnmr::grades

#include "core/efg/efg_file.h"

#include "core/common/elements.h"
#include "core/common/error.h"
#include "core/text/json_picker.h"

#include <limits>

namespace lpsnmr::efg {
namespace {

using Kind = text::JsonValue::Kind;

constexpr int oldest_version = 1, newest_version = 2;

/// Adds what an EFG model is made of.
class Picker : public text::JsonPicker {
public:
  explicit Picker(const std::string &name) : text::JsonPicker(name, "EFG model") {}

  Radial radial_entry(const text::JsonValue &object, const std::string &name) const {
    const text::JsonValue &value = entry(object, name, Kind::array);
    if (value.items.size() != 2)
      fail(value, name + ": expected [number of functions, cutoff], got " +
                      std::to_string(value.items.size()) + " entries");
    return {integer(value.items[0], name), of_kind(value.items[1], Kind::number, name).number};
  }

  int element(const text::JsonValue &value, const std::string &symbol) const {
    const int number = atomic_number(symbol);
    if (number == 0) fail(value, "unknown chemical symbol \"" + symbol + "\"");
    return number;
  }

  std::vector<int> elements_entry(const text::JsonValue &object, const std::string &name) const {
    std::vector<int> numbers;
    for (const text::JsonValue &item : entry(object, name, Kind::array).items)
      numbers.push_back(element(item, of_kind(item, Kind::string, name).string));
    return numbers;
  }

  /// A list of numbers of a given length; null means infinity where it is allowed.
  std::vector<double> numbers_entry(const text::JsonValue &object, const std::string &name,
                                    std::size_t count, bool null_allowed) const {
    const text::JsonValue &list = entry(object, name, Kind::array);
    if (list.items.size() != count)
      fail(list, name + ": expected " + std::to_string(count) + " numbers, got " +
                     std::to_string(list.items.size()));
    std::vector<double> values;
    values.reserve(count);
    for (const text::JsonValue &item : list.items)
      values.push_back(null_allowed && item.kind == Kind::null
                           ? std::numeric_limits<double>::infinity()
                           : of_kind(item, Kind::number, name).number);
    return values;
  }

  EnvironmentRange range_entry(const text::JsonValue &object, const std::string &name,
                               std::size_t n_species) const {
    const text::JsonValue &part = entry(object, name, Kind::object);
    EnvironmentRange range;
    range.nearest = numbers_entry(part, "nearest", n_species, true);
    range.fewest = numbers_entry(part, "fewest", n_species, true);
    range.most = numbers_entry(part, "most", n_species, true);
    return range;
  }
};

/// Refuse what is not ours; return the version of the file.
int check_head(const Picker &pick, const text::JsonValue &root) {
  const int version = pick.check_format(root, "lpsnmr-efg", newest_version, oldest_version);
  const text::JsonValue &units = pick.entry(root, "units", Kind::object);
  const std::string &length = pick.string_entry(units, "length");
  const std::string &efg = pick.string_entry(units, "efg");
  if (length != "Å" || efg != "V/Å²")
    pick.fail(units, "units: expected Å and V/Å², got " + length + " and " + efg);
  return version;
}

Settings read_settings(const Picker &pick, const text::JsonValue &root, int version) {
  const text::JsonValue &given = pick.entry(root, "settings", Kind::object);
  Settings s;
  s.species = pick.elements_entry(root, "species");
  s.bridges = pick.elements_entry(root, "bridges");
  s.pair = pick.radial_entry(given, "pair");
  s.chain = pick.radial_entry(given, "chain");
  s.bridge = pick.radial_entry(given, "bridge");
  s.bridge_l_max = pick.integer_entry(given, "bridge_l_max");
  s.product = pick.radial_entry(given, "product");
  s.product_l_max = pick.integer_entry(given, "product_l_max");
  s.product_degree_max = pick.integer_entry(given, "product_degree_max");
  s.triple = pick.radial_entry(given, "triple");
  s.triple_l_max = pick.integer_entry(given, "triple_l_max");
  std::size_t known = 9;
  if (version > 1) { // before, there was no field
    known = 11;
    s.field_cutoff = pick.number_entry(given, "field_cutoff");
    s.source = pick.radial_entry(given, "source");
    s.sources = pick.elements_entry(root, "sources");
  }
  if (given.entries.size() != known)
    pick.fail(given, "settings: expected " + std::to_string(known) + " entries, got " +
                         std::to_string(given.entries.size()));
  return s;
}

/// Make the basis; its own checks get the place added.
Basis make_basis(const Picker &pick, const text::JsonValue &root, const Settings &settings) {
  try {
    return Basis(settings);
  } catch (const Error &error) {
    pick.fail(*root.find("settings"), error.what());
  }
}

ModelTarget read_target(const Picker &pick, const text::JsonValue &root, const std::string &symbol,
                        const text::JsonValue &part, const Basis &basis) {
  const std::size_t n_species = basis.settings().species.size();
  pick.of_kind(part, Kind::object, "target " + symbol);
  ModelTarget target;
  target.atomic_number = pick.element(part, symbol);
  target.weights = pick.numbers_entry(part, "weights", basis.size(), false);
  target.environment = pick.range_entry(part, "environment", n_species);
  const text::JsonValue &ranges = pick.entry(part, "bridge_environments", Kind::object);
  for (const text::JsonValue &bridge : pick.entry(root, "bridges", Kind::array).items)
    target.bridge_environments.push_back(pick.range_entry(ranges, bridge.string, n_species));
  return target;
}

} // namespace

EfgFile parse_efg_file(const std::string &text, const std::string &name) {
  const text::JsonValue root = text::parse_json(text, name);
  const Picker pick(name);
  const int version = check_head(pick, pick.of_kind(root, Kind::object, "the file"));
  pick.entry(root, "provenance", Kind::object);
  EfgFile file;
  file.settings = read_settings(pick, root, version);
  const Basis basis = make_basis(pick, root, file.settings);
  const text::JsonValue &targets = pick.entry(root, "targets", Kind::object);
  if (targets.entries.empty()) pick.fail(targets, "an EFG model needs at least one target species");
  for (const auto &[symbol, part] : targets.entries)
    file.targets.push_back(read_target(pick, root, symbol, part, basis));
  return file;
}

} // namespace lpsnmr::efg

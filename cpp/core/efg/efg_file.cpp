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

  /// The same for a part of the file, which the messages name.
  Picker within(const std::string &part) const {
    Picker out = *this;
    out.part_ = part + ": ";
    return out;
  }

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
  std::vector<double> numbers(const text::JsonValue &list, const std::string &name,
                              std::size_t count, bool null_allowed) const {
    of_kind(list, Kind::array, name);
    std::vector<double> values;
    values.reserve(list.items.size());
    for (const text::JsonValue &item : list.items)
      values.push_back(null_allowed && item.kind == Kind::null
                           ? std::numeric_limits<double>::infinity()
                           : of_kind(item, Kind::number, name).number);
    if (values.size() != count)
      fail(list, name + ": expected " + std::to_string(count) + " numbers, got " +
                     std::to_string(values.size()));
    return values;
  }
  std::vector<double> numbers_entry(const text::JsonValue &object, const std::string &name,
                                    std::size_t count, bool null_allowed) const {
    return numbers(entry(object, name, Kind::array), name, count, null_allowed);
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
  const auto unit = [&](const char *name) -> std::string {
    const text::JsonValue *const found = units.find(name);
    return found && found->kind == Kind::string ? found->string : "none";
  };
  const std::string length = unit("length"), efg = unit("efg");
  if (length != "Å" || efg != "V/Å²")
    pick.fail(units, "units are wrong: expected Å and V/Å², got " + length + " and " + efg);
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

/// The committee of a target, where there is one.
void read_uncertainty(const Picker &pick, const text::JsonValue &part, std::size_t size,
                      ModelTarget &target) {
  if (!part.find("uncertainty")) return;
  const text::JsonValue &given = pick.entry(part, "uncertainty", Kind::object);
  target.floor = pick.number_entry(given, "floor");
  for (const text::JsonValue &member : pick.entry(given, "members", Kind::array).items)
    target.members.push_back(pick.numbers(member, "members", size, false));
  if (target.members.size() < 2 || target.floor < 0.0)
    pick.fail(given, "uncertainty: expected two or more members and a floor of 0 or more, got " +
                         std::to_string(target.members.size()) + " and " +
                         std::to_string(target.floor));
}

ModelTarget read_target(const Picker &pick, const text::JsonValue &root, const std::string &symbol,
                        const text::JsonValue &part, const Basis &basis) {
  const std::size_t n_species = basis.settings().species.size();
  pick.of_kind(part, Kind::object, "the target");
  ModelTarget target;
  target.atomic_number = pick.element(part, symbol);
  target.weights = pick.numbers_entry(part, "weights", basis.size(), false);
  target.environment = pick.range_entry(part, "environment", n_species);
  const text::JsonValue &ranges = pick.entry(part, "bridge_environments", Kind::object);
  for (const text::JsonValue &bridge : pick.entry(root, "bridges", Kind::array).items)
    target.bridge_environments.push_back(pick.range_entry(ranges, bridge.string, n_species));
  read_uncertainty(pick, part, basis.size(), target);
  return target;
}

} // namespace

EfgFile parse_efg_file(const std::string &text, const std::string &name) {
  const text::JsonValue root = text::parse_json(text, name);
  const Picker pick(name);
  if (root.kind != Kind::object)
    pick.fail(root, std::string("not an EFG model: the file: expected an object, got ") +
                        text::json_kind_name(root.kind));
  const int version = check_head(pick, root);
  EfgFile file;
  const text::JsonValue &provenance = pick.entry(root, "provenance", Kind::object);
  file.provenance = text.substr(provenance.begin, provenance.end - provenance.begin);
  file.settings = read_settings(pick, root, version);
  const Basis basis = make_basis(pick, root, file.settings);
  const text::JsonValue &targets = pick.entry(root, "targets", Kind::object);
  if (targets.entries.empty()) pick.fail(targets, "an EFG model needs at least one target species");
  for (const auto &[symbol, part] : targets.entries)
    file.targets.push_back(read_target(pick.within("target " + symbol), root, symbol, part, basis));
  return file;
}

} // namespace lpsnmr::efg

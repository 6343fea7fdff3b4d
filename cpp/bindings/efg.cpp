#include "arrays.h"
#include "core/efg/features.h"
#include "core/efg/neighborhoods.h"
#include "core/efg/predictor.h"
#include "exports.h"

#include <pybind11/stl.h>

#include <memory>
#include <utility>

namespace efg = lpsnmr::efg;
namespace neighbors = lpsnmr::neighbors;
namespace py = pybind11;

namespace {

using Radial = std::pair<int, double>;

efg::Radial to_radial(const Radial &given) {
  return {given.first, given.second};
}

std::vector<int> to_indices(const IntArray &array, const char *name, py::ssize_t length = -1) {
  if (array.ndim() != 1 || (length >= 0 && array.shape(0) != length))
    throw lpsnmr::Error(std::string(name) + " must have one axis" +
                        (length >= 0 ? " of length " + std::to_string(length) : std::string()));
  return {array.data(), array.data() + array.size()};
}

/// Rows nearest, fewest, most of a (3, n_species) array; an empty array means no check.
efg::EnvironmentRange to_range(const double *rows, std::size_t n_species) {
  efg::EnvironmentRange range;
  range.nearest.assign(rows, rows + n_species);
  range.fewest.assign(rows + n_species, rows + 2 * n_species);
  range.most.assign(rows + 2 * n_species, rows + 3 * n_species);
  return range;
}

py::array_t<double> features(const efg::Basis &basis, const DoubleArray &positions,
                             const DoubleArray &cell, const std::array<bool, 3> &pbc,
                             const IntArray &numbers, const IntArray &targets) {
  const neighbors::System system = view_system(positions, cell, pbc);
  const std::vector<int> z = to_indices(numbers, "numbers", positions.shape(0));
  const std::vector<int> chosen = to_indices(targets, "targets");
  std::vector<double> values;
  {
    py::gil_scoped_release release;
    values = efg::system_features(basis, system, z.data(), chosen);
  }
  return to_numpy(std::move(values), {targets.shape(0), 5, static_cast<py::ssize_t>(basis.size())});
}

py::tuple environments(const efg::Basis &basis, const DoubleArray &positions,
                       const DoubleArray &cell, const std::array<bool, 3> &pbc,
                       const IntArray &numbers, const IntArray &targets) {
  const neighbors::System system = view_system(positions, cell, pbc);
  const std::vector<int> z = to_indices(numbers, "numbers", positions.shape(0));
  const efg::Neighborhoods found =
      efg::find_neighborhoods(basis, system, z.data(), to_indices(targets, "targets"));
  const int n_species = basis.species_count();
  const auto summarize = [&](std::size_t n, double cutoff, const auto &of) {
    std::vector<double> values(n * 2 * n_species);
    for (std::size_t k = 0; k < n; ++k)
      efg::summarize_environment(of(k), n_species, cutoff, values.data() + 2 * k * n_species,
                                 values.data() + (2 * k + 1) * n_species);
    return to_numpy(std::move(values), {static_cast<py::ssize_t>(n), 2, n_species});
  };
  const auto &s = basis.settings();
  const std::size_t n_targets = found.targets.first.size() - 1;
  auto around_targets =
      summarize(n_targets, s.pair.cutoff, [&](std::size_t k) { return found.of_target(k); });
  auto around_bridges = summarize(found.bridge_atoms.size(), s.bridge.cutoff,
                                  [&](std::size_t k) { return found.of_bridge(k); });
  std::vector<int> bridge_atoms = found.bridge_atoms;
  const auto n_bridges = static_cast<py::ssize_t>(bridge_atoms.size());
  return py::make_tuple(around_targets, around_bridges,
                        to_numpy(std::move(bridge_atoms), {n_bridges}));
}

py::tuple predict(const efg::Predictor &model, const DoubleArray &positions,
                  const DoubleArray &cell, const std::array<bool, 3> &pbc, const IntArray &numbers,
                  const IntArray &targets, int threads) {
  const neighbors::System system = view_system(positions, cell, pbc);
  if (numbers.ndim() != 1 || numbers.shape(0) != positions.shape(0))
    throw lpsnmr::Error("numbers must have one axis of length " +
                        std::to_string(positions.shape(0)));
  if (threads < 1)
    throw lpsnmr::Error("threads must be at least 1, got " + std::to_string(threads));
  const std::vector<int> chosen = to_indices(targets, "targets");
  py::array_t<double> components({targets.shape(0), py::ssize_t(5)});
  py::array_t<unsigned char> flags(targets.shape(0));
  const int *z = numbers.data();
  double *out = components.mutable_data();
  unsigned char *flag = flags.mutable_data();
  {
    py::gil_scoped_release release;
    model.predict(system, z, chosen, out, flag, threads);
  }
  return py::make_tuple(components, flags);
}

std::unique_ptr<efg::Predictor> make_predictor(const efg::Basis &basis, const DoubleArray &weights,
                                               const std::optional<DoubleArray> &target_range,
                                               const std::optional<DoubleArray> &bridge_ranges) {
  check_shape(weights, "weights", 1, -1);
  const std::size_t n_species = basis.settings().species.size();
  efg::EnvironmentRange target;
  std::vector<efg::EnvironmentRange> bridges;
  if (target_range) {
    check_shape(*target_range, "target_range", 2, static_cast<long>(n_species));
    if (target_range->shape(0) != 3) throw lpsnmr::Error("target_range must have three rows");
    target = to_range(target_range->data(), n_species);
  }
  if (bridge_ranges) {
    check_shape(*bridge_ranges, "bridge_ranges", 3, static_cast<long>(n_species));
    if (bridge_ranges->shape(1) != 3 ||
        bridge_ranges->shape(0) != static_cast<py::ssize_t>(basis.settings().bridges.size()))
      throw lpsnmr::Error("bridge_ranges must have the shape (bridges, 3, species)");
    for (py::ssize_t b = 0; b < bridge_ranges->shape(0); ++b)
      bridges.push_back(to_range(bridge_ranges->data() + 3 * b * n_species, n_species));
  }
  return std::make_unique<efg::Predictor>(
      basis, std::vector<double>(weights.data(), weights.data() + weights.size()),
      std::move(target), std::move(bridges));
}

efg::Basis make_basis(std::vector<int> species, std::vector<int> bridges, const Radial &pair,
                      const Radial &chain, const Radial &bridge, int bridge_l_max,
                      const Radial &product, int product_l_max, int product_degree_max,
                      const Radial &triple, int triple_l_max, double field_cutoff,
                      const Radial &source, std::vector<int> sources) {
  efg::Settings s;
  s.species = std::move(species);
  s.bridges = std::move(bridges);
  s.pair = to_radial(pair);
  s.chain = to_radial(chain);
  s.bridge = to_radial(bridge);
  s.bridge_l_max = bridge_l_max;
  s.product = to_radial(product);
  s.product_l_max = product_l_max;
  s.product_degree_max = product_degree_max;
  s.triple = to_radial(triple);
  s.triple_l_max = triple_l_max;
  s.field_cutoff = field_cutoff;
  s.source = to_radial(source);
  s.sources = std::move(sources);
  return efg::Basis(std::move(s));
}

/// One value per run of chain features: per bridge species, pair of degrees and radial function.
template <class Value> auto per_chain_run(const efg::Basis &basis, const Value &value) {
  std::vector<decltype(value(basis.chain_pairs().front()))> out;
  for (std::size_t b = 0; b < basis.settings().bridges.size(); ++b)
    for (const efg::DegreePair &pair : basis.chain_pairs())
      out.insert(out.end(), std::size_t(basis.settings().chain.count), value(pair));
  return out;
}

std::vector<int> chain_degrees(const efg::Basis &basis) {
  return per_chain_run(basis, [](const efg::DegreePair &pair) { return pair.l2; });
}

std::vector<std::size_t> chain_channels(const efg::Basis &basis) {
  return per_chain_run(basis, [&](const efg::DegreePair &pair) {
    return std::size_t(basis.bridge_channels(pair.l2));
  });
}

void export_basis(py::module_ &module) {
  py::class_<efg::Basis>(module, "EfgBasis", R"(Features of the EFG model.

Each radial argument is a pair (number of functions, cutoff in Å); a count of 0 switches a term off.
)")
      .def(py::init(&make_basis), py::kw_only(), py::arg("species"), py::arg("bridges"),
           py::arg("pair"), py::arg("chain"), py::arg("bridge"), py::arg("bridge_l_max"),
           py::arg("product"), py::arg("product_l_max"), py::arg("product_degree_max"),
           py::arg("triple"), py::arg("triple_l_max"), py::arg("field_cutoff") = 0.0,
           py::arg("source") = Radial{0, 0.0}, py::arg("sources") = std::vector<int>{})
      .def_property_readonly("size", &efg::Basis::size, "Number of features.")
      .def_property_readonly("chain_begin", &efg::Basis::chain_begin,
                             "Position of the first chain feature.")
      .def_property_readonly("triple_begin", &efg::Basis::triple_begin,
                             "Position of the first feature of body order 3.")
      .def_property_readonly("field_channels", &efg::Basis::field_channels,
                             "Number of fields at a bridge, the last channels of degree 1.")
      .def_property_readonly(
          "chain_degrees", &chain_degrees,
          "Degrees of the bridge of the runs of chain features; see chain_channels.")
      .def_property_readonly(
          "chain_channels", &chain_channels,
          "Lengths of the runs of chain features: one per bridge species, degrees and radial "
          "function.")
      .def("features", &features, py::arg("positions"), py::arg("cell"), py::arg("pbc"),
           py::arg("numbers"), py::arg("targets"), R"(Return the features of chosen atoms.

Parameters
----------
positions : (n, 3) float64 array, Å
cell : (3, 3) float64 array, rows are the cell vectors, Å
pbc : three bools
numbers : (n,) int array, atomic numbers
targets : (m,) int array, atom indices

Returns
-------
(m, 5, size) float64 array; the middle axis in the order of lpsnmr.efg.tensors
)")
      .def("environments", &environments, py::arg("positions"), py::arg("cell"), py::arg("pbc"),
           py::arg("numbers"), py::arg("targets"),
           R"(Summarise the surroundings of targets and of the bridges they reach.

Returns
-------
around_targets : (m, 2, species) float64 array; nearest distance (Å; inf if none), smooth coordination
around_bridges : (bridges, 2, species) float64 array, same
bridge_atoms : (bridges,) int array, atom index of each bridge
)");
}

void export_predictor(py::module_ &module) {
  py::class_<efg::Predictor>(module, "EfgPredictor",
                             "A fitted EFG model of one target species, weights contracted.")
      .def(py::init(&make_predictor), py::arg("basis"), py::arg("weights"),
           py::arg("target_range") = py::none(), py::arg("bridge_ranges") = py::none(),
           R"(Make a predictor.

Parameters
----------
basis : EfgBasis
weights : (basis.size,) float64 array, V/Å²
target_range : (3, species) float64 array, optional; shortest distance, fewest and most neighbours seen
bridge_ranges : (bridges, 3, species) float64 array, optional
)")
      .def("predict", &predict, py::arg("positions"), py::arg("cell"), py::arg("pbc"),
           py::arg("numbers"), py::arg("targets"), py::arg("threads") = 1,
           R"(Return the tensors of chosen atoms; arguments as EfgBasis.features.

Returns
-------
components : (m, 5) float64 array, V/Å²
flags : (m,) uint8 array; bits 1, 2: target too near a neighbour, coordination out of range; 4, 8: the
    same at a bridge
)");
}

} // namespace

void export_efg(py::module_ &module) {
  export_basis(module);
  export_predictor(module);
}

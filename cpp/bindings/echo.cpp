#include "core/correlation/echo.h"

#include "exports.h"
#include "state_arrays.h"

#include <string>
#include <utility>

namespace correlation = lpsnmr::correlation;
namespace py = pybind11;
using lpsnmr::Error;

namespace {

constexpr py::ssize_t components = 5;

std::vector<double> copy(const DoubleArray &array) {
  return std::vector<double>(array.data(), array.data() + array.size());
}

correlation::EchoCorrelator make(long n_series, const DoubleArray &projections,
                                 const DoubleArray &weights, const DoubleArray &times,
                                 long points_per_level, long ratio, long max_levels,
                                 long max_blocks) {
  check_shape(projections, "projections", 2, components);
  check_shape(weights, "weights", 1, projections.shape(0));
  check_shape(times, "times", 1, -1);
  correlation::EchoOptions o;
  o.n_series = count_of(n_series, "n_series");
  o.grid = {copy(projections), copy(weights), copy(times)};
  o.points_per_level = count_of(points_per_level, "points_per_level");
  o.ratio = count_of(ratio, "ratio");
  o.max_levels = count_of(max_levels, "max_levels");
  o.max_blocks = count_of(max_blocks, "max_blocks");
  return correlation::EchoCorrelator(o);
}

py::dict to_dict(correlation::EchoState &&state) {
  correlation::EchoOptions &o = state.options;
  const py::ssize_t n = size(o.n_series), p = size(o.points_per_level);
  const py::ssize_t levels = size(state.level_count.size()), times = size(o.grid.n_times());
  const py::ssize_t blocks =
      static_cast<py::ssize_t>((state.n_samples + state.block_length - 1) / state.block_length);
  const py::ssize_t orientations = size(o.grid.n_orientations());
  py::dict d;
  d["projections"] = to_numpy(std::move(o.grid.projections), {orientations, components});
  d["weights"] = to_numpy(std::move(o.grid.weights), {orientations});
  d["times"] = to_numpy(std::move(o.grid.times), {times});
  d["points_per_level"] = scalar(p);
  d["ratio"] = scalar(static_cast<std::int64_t>(o.ratio));
  d["max_levels"] = scalar(static_cast<std::int64_t>(o.max_levels));
  d["max_blocks"] = scalar(static_cast<std::int64_t>(o.max_blocks));
  d["n_samples"] = scalar(state.n_samples);
  d["block_length"] = scalar(state.block_length);
  d["level_count"] = to_numpy(std::move(state.level_count), {levels});
  d["block_count"] = to_numpy(std::move(state.block_count), {blocks, levels, p});
  d["series_history"] = to_numpy(std::move(state.series_history), {n, levels, p, components});
  d["series_block_sum"] =
      to_numpy(std::move(state.series_block_sum), {n, blocks, levels, p, times, 2});
  return d;
}

correlation::EchoCorrelator from_dict(const py::dict &d) {
  correlation::EchoState state;
  correlation::EchoOptions &o = state.options;
  const auto history = item<DoubleArray>(d, "series_history");
  if (history.ndim() != 4) throw Error("state of an echo: 'series_history' must have 4 axes");
  o.n_series = static_cast<std::size_t>(history.shape(0));
  o.grid = {doubles(d, "projections"), doubles(d, "weights"), doubles(d, "times")};
  o.points_per_level = count_of(integer(d, "points_per_level"), "points_per_level");
  o.ratio = count_of(integer(d, "ratio"), "ratio");
  o.max_levels = count_of(integer(d, "max_levels"), "max_levels");
  o.max_blocks = count_of(integer(d, "max_blocks"), "max_blocks");
  state.n_samples = integer(d, "n_samples");
  state.block_length = integer(d, "block_length");
  state.level_count = integers(d, "level_count");
  state.block_count = integers(d, "block_count");
  state.series_history = doubles(d, "series_history");
  state.series_block_sum = doubles(d, "series_block_sum");
  return correlation::EchoCorrelator(state);
}

void add(correlation::EchoCorrelator &self, const DoubleArray &values) {
  const std::size_t n = self.options().n_series;
  if (values.ndim() != 2 || values.shape(0) != size(n) || values.shape(1) != components)
    throw Error("values must have the shape (" + std::to_string(n) + ", 5), got " +
                py::str(values.attr("shape")).cast<std::string>());
  const double *data = values.data();
  py::gil_scoped_release release;
  self.add(data);
}

py::ssize_t n_lags(const correlation::EchoCorrelator &self) {
  return size(self.lags().size());
}

py::ssize_t n_times(const correlation::EchoCorrelator &self) {
  return size(self.options().grid.n_times());
}

} // namespace

void export_echo(py::module_ &module) {
  py::class_<correlation::EchoCorrelator>(
      module, "EchoCorrelator", "Sums of a spin-alignment echo over orientations and time origins.")
      .def(py::init(&make), py::arg("n_series"), py::kw_only(), py::arg("projections"),
           py::arg("weights"), py::arg("times"), py::arg("points_per_level") = 8,
           py::arg("ratio") = 2, py::arg("max_levels") = 24, py::arg("max_blocks") = 32)
      .def("add", &add, py::arg("values"), "Add one sample, (n_series, 5) float64.")
      .def(
          "state", [](const correlation::EchoCorrelator &self) { return to_dict(self.state()); },
          "Return everything as a dict of arrays; keys `series_*` have n_series as first axis.")
      .def_static("from_state", &from_dict, py::arg("state"), "Continue from a state, bit for bit.")
      .def_property_readonly(
          "n_series",
          [](const correlation::EchoCorrelator &self) { return self.options().n_series; })
      .def_property_readonly("n_samples", &correlation::EchoCorrelator::n_samples)
      .def_property_readonly("block_length", &correlation::EchoCorrelator::block_length,
                             "Samples per time block.")
      .def(
          "lags",
          [](const correlation::EchoCorrelator &self) {
            return to_numpy(self.lags(), {n_lags(self)});
          },
          "Mixing times with at least one pair, (L,) int64, samples.")
      .def(
          "counts",
          [](const correlation::EchoCorrelator &self) {
            return to_numpy(self.counts(), {n_lags(self)});
          },
          "Pairs of each series at each mixing time, (L,) int64.")
      .def(
          "means",
          [](const correlation::EchoCorrelator &self) {
            return to_numpy(self.means(),
                            {n_times(self), 2, n_lags(self), size(self.options().n_series)});
          },
          "Mean over pairs, (times, 2, L, n_series) float64: sine and cosine.")
      .def(
          "block_means",
          [](const correlation::EchoCorrelator &self) {
            return to_numpy(self.block_means(),
                            {n_times(self), 2, size(self.n_blocks()), n_lags(self)});
          },
          "Mean over pairs and series per time block, (times, 2, blocks, L) float64; NaN if none.")
      .def(
          "block_counts",
          [](const correlation::EchoCorrelator &self) {
            return to_numpy(self.block_counts(), {size(self.n_blocks()), n_lags(self)});
          },
          "Pairs of each series per time block, (blocks, L) int64.");
}

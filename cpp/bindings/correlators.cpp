#include "core/correlation/multi_tau.h"

#include "exports.h"
#include "state_arrays.h"

#include <string>

namespace correlation = lpsnmr::correlation;
namespace py = pybind11;
using lpsnmr::Error;

namespace {

correlation::LagKernel parse_kernel(const std::string &name) {
  if (name == "product") return correlation::LagKernel::product;
  if (name == "squared_difference") return correlation::LagKernel::squared_difference;
  throw Error("kernel must be 'product' or 'squared_difference', got '" + name + "'");
}

correlation::CoarseGraining parse_coarse_graining(const std::string &name) {
  if (name == "average") return correlation::CoarseGraining::average;
  if (name == "subsample") return correlation::CoarseGraining::subsample;
  throw Error("coarse_graining must be 'average' or 'subsample', got '" + name + "'");
}

py::dict state_to_dict(correlation::MultiTauState &&state) {
  const correlation::MultiTauOptions &o = state.options;
  const py::ssize_t n = size(o.n_series), c = size(o.n_components), p = size(o.points_per_level);
  const py::ssize_t levels = size(state.level_count.size());
  const py::ssize_t blocks =
      static_cast<py::ssize_t>((state.n_samples + state.block_length - 1) / state.block_length);
  py::dict d;
  d["n_components"] = scalar(c);
  d["points_per_level"] = scalar(p);
  d["ratio"] = scalar(static_cast<std::int64_t>(o.ratio));
  d["max_levels"] = scalar(static_cast<std::int64_t>(o.max_levels));
  d["max_blocks"] = scalar(static_cast<std::int64_t>(o.max_blocks));
  d["squared_difference"] = scalar(o.kernel == correlation::LagKernel::squared_difference);
  d["subsample"] = scalar(o.coarse_graining == correlation::CoarseGraining::subsample);
  d["n_samples"] = scalar(state.n_samples);
  d["block_length"] = scalar(state.block_length);
  d["level_count"] = to_numpy(std::move(state.level_count), {levels});
  d["block_count"] = to_numpy(std::move(state.block_count), {blocks, levels, p});
  d["series_history"] = to_numpy(std::move(state.series_history), {n, levels, c, p});
  d["series_partial"] = to_numpy(std::move(state.series_partial), {n, levels, c});
  d["series_block_sum"] = to_numpy(std::move(state.series_block_sum), {n, blocks, levels, p});
  d["series_sum"] = to_numpy(std::move(state.series_sum), {n, c});
  d["series_sum_of_squares"] = to_numpy(std::move(state.series_sum_of_squares), {n, c});
  return d;
}

correlation::MultiTau from_dict(const py::dict &d) {
  correlation::MultiTauState state;
  correlation::MultiTauOptions &o = state.options;
  const auto history = item<DoubleArray>(d, "series_history");
  if (history.ndim() != 4) throw Error("state of a correlator: 'series_history' must have 4 axes");
  o.n_series = static_cast<std::size_t>(history.shape(0));
  o.n_components = count_of(integer(d, "n_components"), "n_components");
  o.points_per_level = count_of(integer(d, "points_per_level"), "points_per_level");
  o.ratio = count_of(integer(d, "ratio"), "ratio");
  o.max_levels = count_of(integer(d, "max_levels"), "max_levels");
  o.max_blocks = count_of(integer(d, "max_blocks"), "max_blocks");
  o.kernel = integer(d, "squared_difference") ? correlation::LagKernel::squared_difference
                                              : correlation::LagKernel::product;
  o.coarse_graining = integer(d, "subsample") ? correlation::CoarseGraining::subsample
                                              : correlation::CoarseGraining::average;
  state.n_samples = integer(d, "n_samples");
  state.block_length = integer(d, "block_length");
  state.level_count = integers(d, "level_count");
  state.block_count = integers(d, "block_count");
  state.series_history = doubles(d, "series_history");
  state.series_partial = doubles(d, "series_partial");
  state.series_block_sum = doubles(d, "series_block_sum");
  state.series_sum = doubles(d, "series_sum");
  state.series_sum_of_squares = doubles(d, "series_sum_of_squares");
  return correlation::MultiTau(state);
}

void add(correlation::MultiTau &self, const DoubleArray &values) {
  const correlation::MultiTauOptions &o = self.options();
  if (values.ndim() != 2 || values.shape(0) != size(o.n_series) ||
      values.shape(1) != size(o.n_components))
    throw Error("values must have the shape (" + std::to_string(o.n_series) + ", " +
                std::to_string(o.n_components) + "), got " +
                py::str(values.attr("shape")).cast<std::string>());
  const double *data = values.data();
  py::gil_scoped_release release;
  self.add(data);
}

correlation::MultiTau make(long n_series, long n_components, const std::string &kernel,
                           const std::string &coarse_graining, long points_per_level, long ratio,
                           long max_levels, long max_blocks) {
  correlation::MultiTauOptions o;
  o.n_series = count_of(n_series, "n_series");
  o.n_components = count_of(n_components, "n_components");
  o.kernel = parse_kernel(kernel);
  o.coarse_graining = parse_coarse_graining(coarse_graining);
  o.points_per_level = count_of(points_per_level, "points_per_level");
  o.ratio = count_of(ratio, "ratio");
  o.max_levels = count_of(max_levels, "max_levels");
  o.max_blocks = count_of(max_blocks, "max_blocks");
  return correlation::MultiTau(o);
}

/// An array of one entry per lag.
template <class T> auto per_lag(std::vector<T> &&values) {
  const auto n = size(values.size());
  return to_numpy(std::move(values), {n});
}

auto means(const correlation::MultiTau &self) {
  return to_numpy(self.means(), {size(self.lags().size()), size(self.options().n_series)});
}

template <class T> auto per_block(const correlation::MultiTau &self, std::vector<T> &&values) {
  return to_numpy(std::move(values), {size(self.n_blocks()), size(self.lags().size())});
}

auto per_component(const correlation::MultiTau &self, std::vector<double> &&values) {
  return to_numpy(std::move(values),
                  {size(self.options().n_series), size(self.options().n_components)});
}

} // namespace

void export_correlators(py::module_ &module) {
  py::class_<correlation::MultiTau>(module, "MultiTau",
                                    R"(Multi-tau accumulator of many series in bounded memory.

`lpsnmr.sampling` wraps it with units; lags here are in samples.
)")
      .def(py::init(&make), py::arg("n_series"), py::arg("n_components"), py::kw_only(),
           py::arg("kernel") = "product", py::arg("coarse_graining") = "average",
           py::arg("points_per_level") = 16, py::arg("ratio") = 2, py::arg("max_levels") = 24,
           py::arg("max_blocks") = 32)
      .def("add", &add, py::arg("values"), "Add one sample, (n_series, n_components) float64.")
      .def(
          "state", [](const correlation::MultiTau &self) { return state_to_dict(self.state()); },
          "Return everything as a dict of arrays; keys `series_*` have n_series as first axis.")
      .def_static("from_state", &from_dict, py::arg("state"), "Continue from a state, bit for bit.")
      .def_property_readonly(
          "n_series", [](const correlation::MultiTau &self) { return self.options().n_series; })
      .def_property_readonly(
          "n_components",
          [](const correlation::MultiTau &self) { return self.options().n_components; })
      .def_property_readonly("n_samples", &correlation::MultiTau::n_samples)
      .def_property_readonly("block_length", &correlation::MultiTau::block_length,
                             "Samples per time block.")
      .def(
          "lags", [](const correlation::MultiTau &self) { return per_lag(self.lags()); },
          "Lags with at least one pair, (L,) int64, samples.")
      .def(
          "counts", [](const correlation::MultiTau &self) { return per_lag(self.counts()); },
          "Pairs of each series at each lag, (L,) int64.")
      .def("means", &means, "Mean over pairs, (L, n_series) float64.")
      .def(
          "block_means",
          [](const correlation::MultiTau &self) { return per_block(self, self.block_means()); },
          "Mean over pairs and series per time block, (blocks, L) float64; NaN without pairs.")
      .def(
          "block_counts",
          [](const correlation::MultiTau &self) { return per_block(self, self.block_counts()); },
          "Pairs of each series per time block, (blocks, L) int64.")
      .def(
          "series_mean",
          [](const correlation::MultiTau &self) { return per_component(self, self.series_mean()); },
          "Mean over samples, (n_series, n_components) float64; NaN before the first.")
      .def(
          "series_mean_square",
          [](const correlation::MultiTau &self) {
            return per_component(self, self.series_mean_square());
          },
          "Mean square over samples, (n_series, n_components) float64.");
}

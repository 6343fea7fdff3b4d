#include "core/neighbors/cell_bins.h"

#include <algorithm>
#include <cmath>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define LPSNMR_LOOPS "core/neighbors/cell_bins_loops.h"
#define LPSNMR_LOOPS_NAMESPACE neighbors
#include "core/simd/versions.h"

namespace lpsnmr::neighbors {
namespace {

constexpr std::size_t extra_places = 3; // so that four can always be read

} // namespace

void CellBins::clear() {
  for (std::vector<double> *const values : {&sorted_.x, &sorted_.y, &sorted_.z}) values->clear();
  sorted_.atom.clear();
}

/// Bins of one shape, some for each place at most, whatever the extent of the whole. They are short
/// along z, where lines of them are searched in one go.
void CellBins::choose_bins(double reach) {
  std::array<double, 3> extent{};
  const std::vector<double> *const coordinates[3] = {&sorted_.x, &sorted_.y, &sorted_.z};
  for (int a = 0; a < 3; ++a) {
    sorted_.low[a] = 0.0;
    if (sorted_.atom.empty()) continue;
    const auto ends = std::minmax_element(coordinates[a]->begin(), coordinates[a]->end());
    sorted_.low[a] = *ends.first;
    extent[a] = *ends.second - *ends.first;
  }
  const double most = 4.0 * double(sorted_.atom.size()) + 8.0;
  std::array<double, 3> width{reach / 1.25, reach / 1.25, reach / 10.0};
  for (;;) {
    double bins = 1.0;
    for (int a = 0; a < 3; ++a) bins *= std::floor(extent[a] / width[a]) + 1.0;
    if (bins <= most) break;
    for (double &w : width) w *= 1.1;
  }
  for (int a = 0; a < 3; ++a) {
    sorted_.bins[a] = static_cast<int>(extent[a] / width[a]) + 1;
    sorted_.width[a] = width[a];
    sorted_.inverse[a] = 1.0 / width[a];
  }
}

std::size_t CellBins::bin_of(std::size_t place) const {
  const double x[3] = {sorted_.x[place], sorted_.y[place], sorted_.z[place]};
  std::size_t bin = 0;
  for (int a = 0; a < 3; ++a)
    bin = bin * sorted_.bins[a] +
          std::min(static_cast<int>((x[a] - sorted_.low[a]) * sorted_.inverse[a]),
                   sorted_.bins[a] - 1);
  return bin;
}

void CellBins::sort(double reach, simd::Instructions instructions) {
  find_ = LPSNMR_VERSION(find_places, instructions);
  choose_bins(reach);
  const std::size_t n = sorted_.atom.size();
  sorted_.start.assign(std::size_t(sorted_.bins[0]) * sorted_.bins[1] * sorted_.bins[2] + 1, 0);
  bin_.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    bin_[i] = bin_of(i);
    ++sorted_.start[bin_[i] + 1];
  }
  for (std::size_t b = 1; b < sorted_.start.size(); ++b) sorted_.start[b] += sorted_.start[b - 1];
  fill_.assign(sorted_.start.begin(), sorted_.start.end() - 1);
  std::swap(unsorted_.x, sorted_.x);
  std::swap(unsorted_.y, sorted_.y);
  std::swap(unsorted_.z, sorted_.z);
  std::swap(unsorted_.atom, sorted_.atom);
  for (std::vector<double> *const values : {&sorted_.x, &sorted_.y, &sorted_.z})
    values->resize(n + extra_places);
  sorted_.atom.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t to = fill_[bin_[i]]++;
    sorted_.x[to] = unsorted_.x[i];
    sorted_.y[to] = unsorted_.y[i];
    sorted_.z[to] = unsorted_.z[i];
    sorted_.atom[to] = unsorted_.atom[i];
  }
}

} // namespace lpsnmr::neighbors

#include "core/neighbors/cell_bins.h"

#include "core/simd/vector_clones.h"

#include <algorithm>
#include <cmath>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace lpsnmr::neighbors {
namespace {

constexpr int lanes = 4;         // places looked at together
constexpr double slack = 1e-9;   // of a bin's width: what rounding may move a place
constexpr std::size_t room = 64; // candidates between two writes

/// Which of four squared distances are below a limit, as bits.
inline int bits_below(const double *squares, double limit) {
#if defined(__SSE2__)
  const __m128d bound = _mm_set1_pd(limit);
  return _mm_movemask_pd(_mm_cmplt_pd(_mm_loadu_pd(squares), bound)) |
         _mm_movemask_pd(_mm_cmplt_pd(_mm_loadu_pd(squares + 2), bound)) << 2;
#else
  int bits = 0;
  for (int k = 0; k < lanes; ++k) bits |= int(squares[k] < limit) << k;
  return bits;
#endif
}

/// What is found, on its way into a list.
struct Found {
  int place[room + lanes];
  std::size_t count = 0;

  /// Note the places whose bits are set; no branch, for which are near cannot be foreseen.
  inline void note(int first, int bits) {
    static const signed char order[16][lanes] = {
        {0, 0, 0, 0}, {0, 0, 0, 0}, {1, 0, 0, 0}, {0, 1, 0, 0}, {2, 0, 0, 0}, {0, 2, 0, 0},
        {1, 2, 0, 0}, {0, 1, 2, 0}, {3, 0, 0, 0}, {0, 3, 0, 0}, {1, 3, 0, 0}, {0, 1, 3, 0},
        {2, 3, 0, 0}, {0, 2, 3, 0}, {1, 2, 3, 0}, {0, 1, 2, 3}};
    static const signed char counts[16] = {0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4};
    for (int k = 0; k < lanes; ++k) place[count + k] = first + order[bits][k];
    count += counts[bits];
  }
};

} // namespace

void CellBins::clear() {
  for (std::vector<double> *const values : {&x_, &y_, &z_}) values->clear();
  atom_.clear();
}

/// Bins of one shape, some for each place at most, whatever the extent of the whole. They are short
/// along z, where lines of them are searched in one go.
void CellBins::choose_bins(double reach) {
  std::array<double, 3> extent{};
  const std::vector<double> *const coordinates[3] = {&x_, &y_, &z_};
  for (int a = 0; a < 3; ++a) {
    low_[a] = 0.0;
    if (atom_.empty()) continue;
    const auto ends = std::minmax_element(coordinates[a]->begin(), coordinates[a]->end());
    low_[a] = *ends.first;
    extent[a] = *ends.second - *ends.first;
  }
  const double most = 4.0 * double(atom_.size()) + 8.0;
  std::array<double, 3> width{reach / 1.25, reach / 1.25, reach / 10.0};
  for (;;) {
    double bins = 1.0;
    for (int a = 0; a < 3; ++a) bins *= std::floor(extent[a] / width[a]) + 1.0;
    if (bins <= most) break;
    for (double &w : width) w *= 1.1;
  }
  for (int a = 0; a < 3; ++a) {
    bins_[a] = static_cast<int>(extent[a] / width[a]) + 1;
    width_[a] = width[a];
    inverse_[a] = 1.0 / width[a];
  }
}

std::size_t CellBins::bin_of(std::size_t place) const {
  const double x[3] = {x_[place], y_[place], z_[place]};
  std::size_t bin = 0;
  for (int a = 0; a < 3; ++a)
    bin = bin * bins_[a] + std::min(static_cast<int>((x[a] - low_[a]) * inverse_[a]), bins_[a] - 1);
  return bin;
}

void CellBins::sort(double reach) {
  choose_bins(reach);
  const std::size_t n = atom_.size();
  start_.assign(std::size_t(bins_[0]) * bins_[1] * bins_[2] + 1, 0);
  bin_.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    bin_[i] = bin_of(i);
    ++start_[bin_[i] + 1];
  }
  for (std::size_t b = 1; b < start_.size(); ++b) start_[b] += start_[b - 1];
  fill_.assign(start_.begin(), start_.end() - 1);
  std::swap(unsorted_.x, x_);
  std::swap(unsorted_.y, y_);
  std::swap(unsorted_.z, z_);
  std::swap(unsorted_.atom, atom_);
  for (std::vector<double> *const values : {&x_, &y_, &z_}) values->resize(n + lanes - 1);
  atom_.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t to = fill_[bin_[i]]++;
    x_[to] = unsorted_.x[i];
    y_[to] = unsorted_.y[i];
    z_[to] = unsorted_.z[i];
    atom_[to] = unsorted_.atom[i];
  }
}

LPSNMR_CLONES std::size_t CellBins::find(const double *center, double cutoff, int self,
                                         NeighborList &list, std::size_t size) const {
  const double *const x = x_.data(), *const y = y_.data(), *const z = z_.data();
  const int *const atom = atom_.data();
  const double cx = center[0], cy = center[1], cz = center[2], limit = cutoff * cutoff;
  const std::size_t begin = size;
  Found found;
  const auto write = [&] {
    if (list.index.size() < size + found.count) {
      const std::size_t larger = 2 * (size + found.count);
      list.index.resize(larger);
      list.vector.resize(3 * larger);
      list.distance.resize(larger);
    }
    int *const index = list.index.data();
    double *const vector = list.vector.data(), *const distance = list.distance.data();
    for (std::size_t k = 0; k < found.count; ++k) {
      const int s = found.place[k];
      const double dx = x[s] - cx, dy = y[s] - cy, dz = z[s] - cz;
      index[size] = atom[s];
      vector[3 * size] = dx, vector[3 * size + 1] = dy, vector[3 * size + 2] = dz;
      distance[size] = dx * dx + dy * dy + dz * dz;
      size += !((atom[s] == self) & (distance[size] == 0.0));
    }
    found.count = 0;
  };
  // lines of bins along z that the sphere cuts, each as long as the sphere is there
  const auto bin = [&](int a, double value) { // not below 0, not above bins_[a]
    const double b = (value - low_[a]) * inverse_[a];
    return static_cast<int>(std::min(std::max(b, 0.0), double(bins_[a])));
  };
  const auto gap = [&](int a, int b, double value) { // squared distance to the bins of one number
    const double from = low_[a] + (b - slack) * width_[a],
                 to = low_[a] + (b + 1 + slack) * width_[a];
    const double d = std::max(std::max(from - value, value - to), 0.0);
    return d * d;
  };
  const double wide = cutoff + slack * width_[0]; // as wide as along y
  const int x_end = std::min(bin(0, cx + wide) + 1, bins_[0]);
  const int y_begin = bin(1, cy - wide), y_end = std::min(bin(1, cy + wide) + 1, bins_[1]);
  for (int bx = bin(0, cx - wide); bx < x_end; ++bx) {
    const double left = limit - gap(0, bx, cx);
    for (int by = y_begin; by < y_end; ++by) {
      const double squared = left - gap(1, by, cy);
      if (squared <= 0.0) continue;
      const double half = std::sqrt(squared) + slack * width_[2];
      const std::size_t line = (std::size_t(bx) * bins_[1] + by) * bins_[2];
      const int z_end = std::min(bin(2, cz + half) + 1, bins_[2]);
      const int z_begin = std::min(bin(2, cz - half), z_end);
      const std::size_t end = start_[line + z_end];
      for (std::size_t k = start_[line + z_begin]; k < end; k += lanes) {
        double squares[lanes];
        for (int i = 0; i < lanes; ++i) {
          const double dx = x[k + i] - cx, dy = y[k + i] - cy, dz = z[k + i] - cz;
          squares[i] = dx * dx + dy * dy + dz * dz;
        }
        const int rest = static_cast<int>(std::min<std::size_t>(lanes, end - k));
        found.note(static_cast<int>(k), bits_below(squares, limit) & ((1 << rest) - 1));
        if (found.count > room) write();
      }
    }
  }
  write();
  double *const distance = list.distance.data();
  for (std::size_t k = begin; k < size; ++k) distance[k] = std::sqrt(distance[k]);
  return size;
}

} // namespace lpsnmr::neighbors

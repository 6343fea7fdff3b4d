// Which places lie near a centre; included once per instruction set, inside namespace and target
// region of simd/versions.h, by cell_bins.cpp.

constexpr int lanes = 4;         // places looked at together
constexpr double slack = 1e-9;   // of a bin's width: what rounding may move a place
constexpr std::size_t room = 64; // candidates between two writes

/// Which of four squared distances are below a limit, as bits.
LPSNMR_INLINE int bits_below(const double *squares, double limit) {
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
  LPSNMR_INLINE void note(int first, int bits) {
    static const signed char order[16][lanes] = {
        {0, 0, 0, 0}, {0, 0, 0, 0}, {1, 0, 0, 0}, {0, 1, 0, 0}, {2, 0, 0, 0}, {0, 2, 0, 0},
        {1, 2, 0, 0}, {0, 1, 2, 0}, {3, 0, 0, 0}, {0, 3, 0, 0}, {1, 3, 0, 0}, {0, 1, 3, 0},
        {2, 3, 0, 0}, {0, 2, 3, 0}, {1, 2, 3, 0}, {0, 1, 2, 3}};
    static const signed char counts[16] = {0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4};
    for (int k = 0; k < lanes; ++k) place[count + k] = first + order[bits][k];
    count += counts[bits];
  }
};

/// CellBins::find.
std::size_t find_places(const SortedPlaces &places, const double *center, double cutoff, int self,
                        NeighborList &list, std::size_t size) {
  const double *const x = places.x.data(), *const y = places.y.data(), *const z = places.z.data();
  const int *const atom = places.atom.data();
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
    double *const vector = list.vector.data();
    double *const squared = list.distance.data(); // until the end, where all roots are taken
    for (std::size_t k = 0; k < found.count; ++k) {
      const int s = found.place[k];
      const double dx = x[s] - cx, dy = y[s] - cy, dz = z[s] - cz;
      index[size] = atom[s];
      vector[3 * size] = dx, vector[3 * size + 1] = dy, vector[3 * size + 2] = dz;
      squared[size] = dx * dx + dy * dy + dz * dz;
      size += !((atom[s] == self) & (squared[size] == 0.0));
    }
    found.count = 0;
  };
  // lines of bins along z that the sphere cuts, each as long as the sphere is there
  const auto bin = [&](int a, double value) { // not below 0, not above places.bins[a]
    const double b = (value - places.low[a]) * places.inverse[a];
    return static_cast<int>(std::min(std::max(b, 0.0), double(places.bins[a])));
  };
  const auto gap = [&](int a, int b, double value) { // squared distance to the bins of one number
    const double from = places.low[a] + (b - slack) * places.width[a],
                 to = places.low[a] + (b + 1 + slack) * places.width[a];
    const double d = std::max(std::max(from - value, value - to), 0.0);
    return d * d;
  };
  const double wide = cutoff + slack * places.width[0]; // as wide as along y
  const int x_end = std::min(bin(0, cx + wide) + 1, places.bins[0]);
  const int y_begin = bin(1, cy - wide), y_end = std::min(bin(1, cy + wide) + 1, places.bins[1]);
  for (int bx = bin(0, cx - wide); bx < x_end; ++bx) {
    const double left = limit - gap(0, bx, cx);
    for (int by = y_begin; by < y_end; ++by) {
      const double squared = left - gap(1, by, cy);
      if (squared <= 0.0) continue;
      const double half = std::sqrt(squared) + slack * places.width[2];
      const std::size_t line = (std::size_t(bx) * places.bins[1] + by) * places.bins[2];
      const int z_end = std::min(bin(2, cz + half) + 1, places.bins[2]);
      const int z_begin = std::min(bin(2, cz - half), z_end);
      const std::size_t end = places.start[line + z_end];
      for (std::size_t k = places.start[line + z_begin]; k < end; k += lanes) {
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

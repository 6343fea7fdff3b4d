// The loops over the neighbours and products of one centre; included once per instruction set, as
// those of ufp are, inside namespace and target region of simd/versions.h.

// Vectors stored through intrinsics may alias anything: pointers are taken out of the loops by
// hand.

/// Collect the candidates within reach, species by species, each from a multiple of eight on;
/// what is left of the last pack lies far outside every cutoff.
LPSNMR_INLINE void collect_species(const Kernel::Input &in, Center &center) {
  const int *const index = in.candidates->index, *const first = in.candidates->first;
  const double *const atoms = &in.atoms->x;
  double *const x = center.x.data(), *const y = center.y.data(), *const z = center.z.data();
  double *const squared = center.squared.data();
  int *const kept = center.index.data(), *const begins = center.begin.data(),
             *const ends = center.end.data();
  const Pack xi = splat(in.center->x), yi = splat(in.center->y), zi = splat(in.center->z);
  const int own = static_cast<int>(in.center->species), species = in.potential->species();
  int found = 0;
  for (int s = 0; s < species; ++s) {
    const double reach = in.potential->reach(own, s);
    const Pack reach2 = splat(reach * reach);
    found = (found + 7) / 8 * 8;
    begins[s] = found;
    const int last = reach > 0.0 ? first[s + 1] : first[s];
    for (int b = first[s]; b < last; b += width) {
      Pack ax, ay, az, unused;
      load_records(atoms, index + b, ax, ay, az, unused);
      const Pack dx = ax - xi, dy = ay - yi, dz = az - zi;
      const Pack r2 = fma(dx, dx, fma(dy, dy, dz * dz));
      const Mask inside = both(first_lanes(last - b), less(r2, reach2));
      compress(x + found, inside, dx);
      compress(y + found, inside, dy);
      compress(z + found, inside, dz);
      compress(squared + found, inside, r2);
      compress(kept + found, inside, index + b);
      found += __builtin_popcount(bits(inside));
    }
    ends[s] = found;
    for (int t = found; t < found + 8; t += width) { // up to a whole pack of any width
      store(x + t, splat(1e8));
      store(y + t, splat(0.0));
      store(z + t, splat(0.0));
      store(squared + t, splat(1e16));
    }
  }
}

/// Distances and unit vectors; zeroed forces.
LPSNMR_INLINE void measure_neighbors(int count, Center &center) {
  const double *const squared = center.squared.data();
  double *const distance = center.distance.data(), *const inverses = center.inverse.data();
  double *const ux = center.unit_x.data(), *const uy = center.unit_y.data(),
                *const uz = center.unit_z.data();
  double *const fx = center.force_x.data(), *const fy = center.force_y.data(),
                *const fz = center.force_z.data();
  const double *const x = center.x.data(), *const y = center.y.data(), *const z = center.z.data();
  const Pack zero = splat(0.0), tiny = splat(1e-16);
  for (int t = 0; t < count; t += width) {
    Pack r, inverse;
    inverse_root(maximum(load(squared + t), tiny), r, inverse);
    store(distance + t, r);
    store(inverses + t, inverse);
    store(ux + t, load(x + t) * inverse);
    store(uy + t, load(y + t) * inverse);
    store(uz + t, load(z + t) * inverse);
    store(fx + t, zero);
    store(fy + t, zero);
    store(fz + t, zero);
  }
}

/// Radial functions of one channel with their slopes; zero outside of its knots.
LPSNMR_INLINE void evaluate_radial(const ChannelTable &channel, Center &center) {
  const int begin = center.begin[std::size_t(channel.species)],
            end = center.end[std::size_t(channel.species)], functions = channel.functions;
  const std::size_t room = center.room;
  const double *const distance = center.distance.data(), *const cubic = channel.cubic.data();
  double *const values = center.value.data() + std::size_t(channel.first) * room,
                *const slopes = center.slope.data() + std::size_t(channel.first) * room;
  const Pack low = splat(channel.start), scale = splat(channel.cells_per_length),
             last = splat(channel.last_cell), step = splat(channel.width);
  const Pack zero = splat(0.0), one = splat(1.0), count = splat(functions);
  for (int t = begin; t < end; t += width) {
    const Pack r = load(distance + t);
    const Pack cell = truncated(maximum(minimum(fma(r - low, scale, one), last), zero));
    const Pack u = r - fma(cell - one, step, low), record = cell * count;
    for (int f = 0; f < functions; ++f) {
      Pack c0, c1, c2, c3;
      look_up_records(cubic + 4 * f, record, c0, c1, c2, c3);
      const std::size_t at = std::size_t(f) * room + std::size_t(t);
      store(values + at, fma(fma(fma(c3, u, c2), u, c1), u, c0));
      store(slopes + at, fma(fma(splat(3.0) * c3, u, splat(2.0) * c2), u, c1));
    }
  }
}

/// Where component c of order l begins in the arrays of moments and adjoints.
LPSNMR_INLINE double *moment_row(const BlockTable &block, double *moments, int l, int c) {
  const int before = l == 0 ? 0 : l == 1 ? block.stride[0] : block.stride[0] + 3 * block.stride[1];
  return moments + before + c * block.stride[l];
}

/// Moments of one function up to order `highest`.
template <int highest>
LPSNMR_INLINE void sum_moments(const BlockTable &block, const ChannelTable &channel, int f,
                               Center &center) {
  const int begin = center.begin[std::size_t(channel.species)],
            end = center.end[std::size_t(channel.species)];
  const double *const value = center.value.data() + std::size_t(channel.first + f) * center.room;
  const double *const ux = center.unit_x.data(), *const uy = center.unit_y.data(),
                      *const uz = center.unit_z.data();
  Pack a[12];
  for (Pack &sum : a) sum = splat(0.0);
  for (int t = begin; t < end; t += width) {
    const Pack g = load(value + t);
    a[0] = a[0] + g;
    if (highest == 0) continue;
    const Pack x = load(ux + t), y = load(uy + t), z = load(uz + t);
    const Pack gx = g * x, gy = g * y, gz = g * z;
    a[1] = a[1] + gx;
    a[2] = a[2] + gy;
    a[3] = a[3] + gz;
    if (highest == 1) continue;
    a[4] = fma(gx, x, a[4]);
    a[5] = fma(gy, y, a[5]);
    a[6] = fma(gz, z, a[6]);
    a[7] = fma(gx, y, a[7]);
    a[8] = fma(gx, z, a[8]);
    a[9] = fma(gy, z, a[9]);
  }
  double sums[12];
  sum_each(a[0], a[1], a[2], a[3], sums);
  if (highest > 1) {
    sum_each(a[4], a[5], a[6], a[7], sums + 4);
    sum_each(a[8], a[9], a[10], a[11], sums + 8);
  }
  const double *from = sums;
  for (int l = 0; l <= highest; ++l) {
    double *const row = moment_row(block, center.moments.data(), l, 0) + channel.row[l] + f;
    for (int c = 0; c < component_count[l]; ++c) row[c * block.stride[l]] = *from++;
  }
}

LPSNMR_INLINE void sum_channel(const BlockTable &block, const ChannelTable &channel,
                               Center &center) {
  for (int f = 0; f < channel.functions; ++f)
    if (channel.highest_l == 0)
      sum_moments<0>(block, channel, f, center);
    else if (channel.highest_l == 1)
      sum_moments<1>(block, channel, f, center);
    else
      sum_moments<2>(block, channel, f, center);
}

/// Pair products of one l; a row may write into the next one, which follows.
template <int l> LPSNMR_INLINE void multiply_moments(const BlockTable &block, Center &center) {
  constexpr int components = component_count[l];
  const int n = block.members[l], stride = block.stride[l];
  const double *const rows = moment_row(block, center.moments.data(), l, 0);
  double *out = center.products.data() + block.products[l];
  for (int p = 0; p < n; out += n - p, ++p) {
    Pack factor[components];
    for (int c = 0; c < components; ++c)
      factor[c] = splat((l == 2 ? multiplicity[c] : 1.0) * rows[c * stride + p]);
    for (int q = p; q < n; q += width) {
      Pack g = factor[0] * load(rows + q);
      for (int c = 1; c < components; ++c) g = fma(factor[c], load(rows + c * stride + q), g);
      store(out + (q - p), g);
    }
  }
}

/// Energy of a block from its products; derivatives with respect to products and scalar factors.
LPSNMR_INLINE double contract_products(const BlockTable &block, Center &center) {
  const int m_count = block.product_count;
  const double *const scalars = center.moments.data(), *const g = center.products.data();
  double *const weights = center.weights.data(), *const adjoints = center.adjoints.data();
  const double *const pairs = block.pairs.data();
  for (int m = 0; m < m_count; m += width) store(weights + m, load(pairs + m));
  for (int a = 0; a < (block.cubes.empty() ? 0 : block.members[0]); ++a) {
    const double *const row = block.cubes.data() + std::size_t(a) * m_count;
    const Pack s = splat(scalars[a]);
    Pack slope = splat(0.0), slope2 = slope;
    int m = 0;
    for (; m + 2 * width <= m_count; m += 2 * width) {
      const Pack d = load(row + m), e = load(row + m + width);
      slope = fma(d, load(g + m), slope);
      slope2 = fma(e, load(g + m + width), slope2);
      store(weights + m, fma(s, d, load(weights + m)));
      store(weights + m + width, fma(s, e, load(weights + m + width)));
    }
    for (; m < m_count; m += width) {
      const Pack d = load(row + m);
      slope = fma(d, load(g + m), slope);
      store(weights + m, fma(s, d, load(weights + m)));
    }
    adjoints[a] += sum(slope + slope2);
  }
  Pack energy = splat(0.0);
  for (int m = 0; m < m_count; m += width) energy = fma(load(weights + m), load(g + m), energy);
  return sum(energy);
}

/// Derivatives with respect to the moments of one l, from those with respect to their products; for
/// l = 2 twice the derivative with respect to the full, symmetric tensor.
template <int l> LPSNMR_INLINE void pull_back_products(const BlockTable &block, Center &center) {
  constexpr int components = component_count[l];
  const int n = block.members[l], stride = block.stride[l];
  const double *weight = center.weights.data() + block.products[l];
  double *const square = center.square.data();
  for (int p = 0; p < n; ++p) {
    square[p * stride + p] = 2.0 * *weight++;
    for (int q = p + 1; q < n; ++q) square[p * stride + q] = square[q * stride + p] = *weight++;
  }
  const double *const rows = moment_row(block, center.moments.data(), l, 0);
  double *const out = moment_row(block, center.adjoints.data(), l, 0);
  for (int q = 0; q < n; q += width) {
    Pack slope[components];
    for (Pack &s : slope) s = splat(0.0);
    for (int p = 0; p < n; ++p) {
      const Pack w = load(square + p * stride + q);
      for (int c = 0; c < components; ++c) slope[c] = fma(splat(rows[c * stride + p]), w, slope[c]);
    }
    for (int c = 0; c < components; ++c) {
      const Pack times = splat(l == 2 ? 2.0 : 1.0);
      store(out + c * stride + q, fma(times, slope[c], load(out + c * stride + q)));
    }
  }
}

/// Let the energy fade where a scalar moment is larger than it ever was in training.
LPSNMR_INLINE double fade(const BlockTable &block, double energy, Center &center) {
  const int n = block.members[0];
  const double *const scalars = center.moments.data();
  bool crowded = false;
  for (int p = 0; p < n; ++p) crowded |= scalars[p] > block.full[std::size_t(p)];
  if (!crowded) return energy;
  // the factor is a product over the functions; its derivative leaves out one at a time
  double factor = 1.0;
  for (int p = 0; p < n; ++p) {
    double slope;
    factor *=
        fade_factor(scalars[p], block.full[std::size_t(p)], block.gone[std::size_t(p)], slope);
  }
  const int all = block.stride[0] + 3 * block.stride[1] + 6 * block.stride[2];
  for (int k = 0; k < all; ++k) center.adjoints[std::size_t(k)] *= factor;
  for (int p = 0; p < n; ++p) {
    double slope;
    fade_factor(scalars[p], block.full[std::size_t(p)], block.gone[std::size_t(p)], slope);
    if (slope == 0.0) continue;
    for (int q = 0; q < n; ++q) {
      double unused;
      if (q != p)
        slope *=
            fade_factor(scalars[q], block.full[std::size_t(q)], block.gone[std::size_t(q)], unused);
    }
    center.adjoints[std::size_t(p)] += energy * slope;
  }
  return factor * energy;
}

/// Forces on the neighbours of one channel.
template <int highest>
LPSNMR_INLINE void pull_neighbors(const BlockTable &block, const ChannelTable &channel,
                                  Center &center) {
  const int begin = center.begin[std::size_t(channel.species)],
            end = center.end[std::size_t(channel.species)], functions = channel.functions;
  const std::size_t room = center.room;
  const double *const values = center.value.data() + std::size_t(channel.first) * room,
                      *const slopes = center.slope.data() + std::size_t(channel.first) * room;
  const double *const inverses = center.inverse.data(), *const ux = center.unit_x.data(),
                      *const uy = center.unit_y.data(), *const uz = center.unit_z.data();
  double *const fx = center.force_x.data(), *const fy = center.force_y.data(),
                *const fz = center.force_z.data();
  double *const adjoints = center.adjoints.data();
  const double *const g0 = moment_row(block, adjoints, 0, 0) + channel.row[0];
  const double *const g1 = moment_row(block, adjoints, 1, 0) + channel.row[1];
  const double *const g2 = moment_row(block, adjoints, 2, 0) + channel.row[2];
  const int s1 = block.stride[1], s2 = block.stride[2];
  for (int t = begin; t < end; t += width) {
    const Pack x = load(ux + t), y = load(uy + t), z = load(uz + t);
    Pack along = splat(0.0), tx = along, ty = along, tz = along;
    for (int f = 0; f < functions; ++f) {
      const std::size_t at = std::size_t(f) * room + std::size_t(t);
      Pack q = splat(g0[f]);
      if (highest > 0) {
        const Pack value = load(values + at);
        Pack vx = splat(g1[f]), vy = splat(g1[s1 + f]), vz = splat(g1[2 * s1 + f]);
        q = fma(vx, x, fma(vy, y, fma(vz, z, q)));
        if (highest > 1) {
          const Pack xy = splat(g2[3 * s2 + f]), xz = splat(g2[4 * s2 + f]),
                     yz = splat(g2[5 * s2 + f]);
          const Pack hx = fma(splat(g2[f]), x, fma(xy, y, xz * z));
          const Pack hy = fma(xy, x, fma(splat(g2[s2 + f]), y, yz * z));
          const Pack hz = fma(xz, x, fma(yz, y, splat(g2[2 * s2 + f]) * z));
          q = fma(splat(0.5), fma(hx, x, fma(hy, y, hz * z)), q);
          vx = vx + hx;
          vy = vy + hy;
          vz = vz + hz;
        }
        tx = fma(value, vx, tx);
        ty = fma(value, vy, ty);
        tz = fma(value, vz, tz);
      }
      along = fma(load(slopes + at), q, along);
    }
    if (highest > 0) {
      const Pack inverse = load(inverses + t);
      tx = tx * inverse;
      ty = ty * inverse;
      tz = tz * inverse;
      along = along - fma(tx, x, fma(ty, y, tz * z));
    }
    store(fx + t, load(fx + t) - fma(along, x, tx));
    store(fy + t, load(fy + t) - fma(along, y, ty));
    store(fz + t, load(fz + t) - fma(along, z, tz));
  }
}

LPSNMR_INLINE void pull_channel(const BlockTable &block, const ChannelTable &channel,
                                Center &center) {
  if (channel.highest_l == 0)
    pull_neighbors<0>(block, channel, center);
  else if (channel.highest_l == 1)
    pull_neighbors<1>(block, channel, center);
  else
    pull_neighbors<2>(block, channel, center);
}

/// Bound the energy where it is larger or smaller than it ever was in training.
LPSNMR_INLINE double bound(const BlockTable &block, double energy, Center &center) {
  if (energy >= block.low && energy <= block.high) return energy;
  double slope;
  const double bounded = bounded_energy(energy, block.low, block.high, block.room, slope);
  const int all = block.stride[0] + 3 * block.stride[1] + 6 * block.stride[2];
  for (int k = 0; k < all; ++k) center.adjoints[std::size_t(k)] *= slope;
  return bounded;
}

LPSNMR_INLINE void evaluate_block(const BlockTable &block, Center &center) {
  const int all = block.stride[0] + 3 * block.stride[1] + 6 * block.stride[2];
  for (int k = 0; k < all; k += width) {
    store(&center.moments[k], splat(0.0));
    store(&center.adjoints[k], splat(0.0));
  }
  for (const ChannelTable &channel : block.channels) {
    evaluate_radial(channel, center);
    sum_channel(block, channel, center);
  }
  multiply_moments<0>(block, center);
  multiply_moments<1>(block, center);
  multiply_moments<2>(block, center);
  const double energy = contract_products(block, center);
  pull_back_products<0>(block, center);
  pull_back_products<1>(block, center);
  pull_back_products<2>(block, center);
  center.energy += bound(block, fade(block, energy, center), center);
  for (const ChannelTable &channel : block.channels) pull_channel(block, channel, center);
}

/// The centre takes the opposite of all forces; virial.
LPSNMR_INLINE void sum_forces(int count, bool virial_wanted, Center &center) {
  const double *const fx = center.force_x.data(), *const fy = center.force_y.data(),
                      *const fz = center.force_z.data();
  const Pack zero = splat(0.0);
  Pack sx = zero, sy = zero, sz = zero;
  for (int t = 0; t < count; t += width) {
    sx = sx + load(fx + t);
    sy = sy + load(fy + t);
    sz = sz + load(fz + t);
  }
  center.force[0] = -sum(sx);
  center.force[1] = -sum(sy);
  center.force[2] = -sum(sz);
  if (!virial_wanted) return;
  const double *const x = center.x.data(), *const y = center.y.data(), *const z = center.z.data();
  Pack virial[6];
  for (Pack &v : virial) v = zero;
  for (int t = 0; t < count; t += width) {
    const Pack px = load(fx + t), py = load(fy + t), pz = load(fz + t);
    virial[0] = fma(px, load(x + t), virial[0]);
    virial[1] = fma(py, load(y + t), virial[1]);
    virial[2] = fma(pz, load(z + t), virial[2]);
    virial[3] = fma(py, load(x + t), virial[3]);
    virial[4] = fma(pz, load(x + t), virial[4]);
    virial[5] = fma(pz, load(y + t), virial[5]);
  }
  for (int c = 0; c < 6; ++c) center.virial[c] = sum(virial[c]);
}

void evaluate_center(const Kernel::Input &in, Center &center) {
  collect_species(in, center);
  const int count = (center.end.back() + 7) / 8 * 8;
  measure_neighbors(count, center);
  center.energy = 0.0;
  for (const BlockTable &block : in.potential->blocks(static_cast<int>(in.center->species)))
    evaluate_block(block, center);
  sum_forces(count, in.virial_wanted, center);
}

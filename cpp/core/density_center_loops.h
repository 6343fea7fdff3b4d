// The loops over the neighbours and products of one centre; included once per instruction set, as
// ufp_center_loops.h is, inside namespace and target region of density_kernel.cpp.

/// Collect the candidates within reach, species by species, each from a multiple of eight on;
/// what is left of the last pack lies far outside every cutoff.
LPSNMR_INLINE void collect_species(const DensityKernel::Input &in, DensityCenter &center) {
  const DensityCandidates &candidates = *in.candidates;
  const Pack xi = splat(in.center->x), yi = splat(in.center->y), zi = splat(in.center->z);
  const int own = static_cast<int>(in.center->species);
  int found = 0;
  for (int s = 0; s < in.potential->species(); ++s) {
    const double reach = in.potential->reach(own, s);
    const Pack reach2 = splat(reach * reach);
    found = (found + 7) / 8 * 8;
    center.begin[std::size_t(s)] = found;
    const int last = reach > 0.0 ? candidates.first[s + 1] : candidates.first[s];
    for (int b = candidates.first[s]; b < last; b += width) {
      Pack x, y, z, species;
      load_records(&in.atoms->x, candidates.index + b, x, y, z, species);
      const Pack dx = x - xi, dy = y - yi, dz = z - zi;
      const Pack r2 = fma(dx, dx, fma(dy, dy, dz * dz));
      const Mask inside = both(first_lanes(last - b), less(r2, reach2));
      compress(&center.x[std::size_t(found)], inside, dx);
      compress(&center.y[std::size_t(found)], inside, dy);
      compress(&center.z[std::size_t(found)], inside, dz);
      compress(&center.distance[std::size_t(found)], inside, r2);
      compress(&center.index[std::size_t(found)], inside, candidates.index + b);
      found += __builtin_popcount(bits(inside));
    }
    center.end[std::size_t(s)] = found;
    for (int t = found; t < found + 8; t += width) { // up to a whole pack of any width
      store(&center.x[std::size_t(t)], splat(1e8));
      store(&center.y[std::size_t(t)], splat(0.0));
      store(&center.z[std::size_t(t)], splat(0.0));
      store(&center.distance[std::size_t(t)], splat(1e16));
    }
  }
}

/// Distances and unit vectors; zeroed forces.
LPSNMR_INLINE void measure_neighbors(int count, DensityCenter &center) {
  const Pack zero = splat(0.0), tiny = splat(1e-16);
  for (int t = 0; t < count; t += width) {
    Pack r, inverse;
    inverse_root(maximum(load(&center.distance[t]), tiny), r, inverse);
    store(&center.distance[t], r);
    store(&center.inverse[t], inverse);
    store(&center.unit_x[t], load(&center.x[t]) * inverse);
    store(&center.unit_y[t], load(&center.y[t]) * inverse);
    store(&center.unit_z[t], load(&center.z[t]) * inverse);
    store(&center.force_x[t], zero);
    store(&center.force_y[t], zero);
    store(&center.force_z[t], zero);
  }
}

/// Radial functions of one channel with their slopes; zero outside of its knots.
LPSNMR_INLINE void evaluate_radial(const DensityChannelTable &channel, DensityCenter &center) {
  const int begin = center.begin[std::size_t(channel.species)],
            end = center.end[std::size_t(channel.species)];
  const Pack low = splat(channel.start), scale = splat(channel.cells_per_length),
             last = splat(channel.last_cell), step = splat(channel.width);
  const Pack zero = splat(0.0), one = splat(1.0), count = splat(channel.functions);
  for (int t = begin; t < end; t += width) {
    const Pack r = load(&center.distance[t]);
    const Pack cell = truncated(maximum(minimum(fma(r - low, scale, one), last), zero));
    const Pack u = r - fma(cell - one, step, low), record = cell * count;
    for (int f = 0; f < channel.functions; ++f) {
      Pack c0, c1, c2, c3;
      look_up_records(channel.cubic.data() + 4 * f, record, c0, c1, c2, c3);
      const std::size_t at = std::size_t(channel.first + f) * center.room + std::size_t(t);
      store(&center.value[at], fma(fma(fma(c3, u, c2), u, c1), u, c0));
      store(&center.slope[at], fma(fma(splat(3.0) * c3, u, splat(2.0) * c2), u, c1));
    }
  }
}

/// Where component c of order l begins in the arrays of moments and adjoints.
LPSNMR_INLINE double *moment_row(const DensityBlockTable &block, double *moments, int l, int c) {
  const int before = l == 0 ? 0 : l == 1 ? block.stride[0] : block.stride[0] + 3 * block.stride[1];
  return moments + before + c * block.stride[l];
}

/// Moments of one function, up to the highest l of its channel.
LPSNMR_INLINE void sum_moments(const DensityBlockTable &block, const DensityChannelTable &channel,
                               int f, DensityCenter &center) {
  const int begin = center.begin[std::size_t(channel.species)],
            end = center.end[std::size_t(channel.species)];
  const double *const value = center.value.data() + std::size_t(channel.first + f) * center.room;
  Pack a[12];
  for (Pack &sum : a) sum = splat(0.0);
  for (int t = begin; t < end; t += width) {
    const Pack g = load(value + t);
    a[0] = a[0] + g;
    if (channel.highest_l == 0) continue;
    const Pack x = load(&center.unit_x[t]), y = load(&center.unit_y[t]),
               z = load(&center.unit_z[t]);
    const Pack gx = g * x, gy = g * y, gz = g * z;
    a[1] = a[1] + gx;
    a[2] = a[2] + gy;
    a[3] = a[3] + gz;
    if (channel.highest_l == 1) continue;
    a[4] = fma(gx, x, a[4]);
    a[5] = fma(gy, y, a[5]);
    a[6] = fma(gz, z, a[6]);
    a[7] = fma(gx, y, a[7]);
    a[8] = fma(gx, z, a[8]);
    a[9] = fma(gy, z, a[9]);
  }
  double sums[12];
  sum_each(a[0], a[1], a[2], a[3], sums);
  double *const moments = center.moments.data();
  *(moment_row(block, moments, 0, 0) + channel.row[0] + f) = sums[0];
  if (channel.highest_l == 0) return;
  for (int c = 0; c < 3; ++c)
    *(moment_row(block, moments, 1, c) + channel.row[1] + f) = sums[1 + c];
  if (channel.highest_l == 1) return;
  sum_each(a[4], a[5], a[6], a[7], sums + 4);
  sum_each(a[8], a[9], a[10], a[11], sums + 8);
  for (int c = 0; c < 6; ++c)
    *(moment_row(block, moments, 2, c) + channel.row[2] + f) = sums[4 + c];
}

/// Pair products of one l; a row may write into the next one, which follows.
LPSNMR_INLINE void multiply_moments(const DensityBlockTable &block, int l, DensityCenter &center) {
  const int n = block.members[l];
  double *out = center.products.data() + block.products[l];
  for (int p = 0; p < n; out += n - p, ++p) {
    for (int q = p; q < n; q += width) {
      Pack g = splat(0.0);
      for (int c = 0; c < density_components[l]; ++c) {
        const double *const row = moment_row(block, center.moments.data(), l, c);
        const double times = l == 2 ? density_multiplicity[c] : 1.0;
        g = fma(splat(times * row[p]), load(row + q), g);
      }
      store(out + (q - p), g);
    }
  }
}

/// Energy of a block from its products; derivatives with respect to products and scalar factors.
LPSNMR_INLINE double contract_products(const DensityBlockTable &block, DensityCenter &center) {
  const int m_count = block.product_count;
  const double *const scalars = center.moments.data(), *const g = center.products.data();
  double *const weights = center.weights.data(), *const adjoints = center.adjoints.data();
  for (int m = 0; m < m_count; m += width) store(weights + m, load(&block.pairs[m]));
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

/// Derivatives with respect to the moments of one l, from those with respect to their products.
LPSNMR_INLINE void pull_back_products(const DensityBlockTable &block, int l,
                                      DensityCenter &center) {
  const int n = block.members[l], stride = block.stride[l];
  const double *weight = center.weights.data() + block.products[l];
  double *const square = center.square.data();
  for (int p = 0; p < n; ++p) {
    square[p * stride + p] = 2.0 * *weight++;
    for (int q = p + 1; q < n; ++q) square[p * stride + q] = square[q * stride + p] = *weight++;
  }
  for (int c = 0; c < density_components[l]; ++c) {
    const double *const row = moment_row(block, center.moments.data(), l, c);
    double *const out = moment_row(block, center.adjoints.data(), l, c);
    const Pack times = splat(l == 2 ? density_multiplicity[c] : 1.0);
    for (int q = 0; q < stride; q += width) {
      Pack slope = splat(0.0);
      for (int p = 0; p < n; ++p) slope = fma(splat(row[p]), load(square + p * stride + q), slope);
      store(out + q, fma(times, slope, load(out + q)));
    }
  }
}

/// Let the energy fade where a scalar moment is larger than it ever was in training.
LPSNMR_INLINE double fade(const DensityBlockTable &block, double energy, DensityCenter &center) {
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
        density_fade(scalars[p], block.full[std::size_t(p)], block.gone[std::size_t(p)], slope);
  }
  const int all = block.stride[0] + 3 * block.stride[1] + 6 * block.stride[2];
  for (int k = 0; k < all; ++k) center.adjoints[std::size_t(k)] *= factor;
  for (int p = 0; p < n; ++p) {
    double slope;
    density_fade(scalars[p], block.full[std::size_t(p)], block.gone[std::size_t(p)], slope);
    if (slope == 0.0) continue;
    for (int q = 0; q < n; ++q) {
      double unused;
      if (q != p)
        slope *= density_fade(scalars[q], block.full[std::size_t(q)], block.gone[std::size_t(q)],
                              unused);
    }
    center.adjoints[std::size_t(p)] += energy * slope;
  }
  return factor * energy;
}

/// Ten derivatives of one function together: scalar, vector, tensor.
LPSNMR_INLINE void gather_adjoints(const DensityBlockTable &block,
                                   const DensityChannelTable &channel, DensityCenter &center) {
  double *const adjoints = center.adjoints.data();
  double *out = center.packed.data();
  for (int f = 0; f < channel.functions; ++f)
    for (int l = 0; l <= 2; ++l)
      for (int c = 0; c < density_components[l]; ++c)
        *out++ = l <= channel.highest_l ? *(moment_row(block, adjoints, l, c) + channel.row[l] + f)
                                        : 0.0;
}

/// Forces on the neighbours of one channel.
LPSNMR_INLINE void pull_neighbors(const DensityChannelTable &channel, DensityCenter &center) {
  const int begin = center.begin[std::size_t(channel.species)],
            end = center.end[std::size_t(channel.species)];
  for (int t = begin; t < end; t += width) {
    const Pack x = load(&center.unit_x[t]), y = load(&center.unit_y[t]),
               z = load(&center.unit_z[t]);
    const Pack inverse = load(&center.inverse[t]);
    Pack along = splat(0.0), tx = along, ty = along, tz = along;
    for (int f = 0; f < channel.functions; ++f) {
      const double *const g = center.packed.data() + 10 * f;
      const std::size_t at = std::size_t(channel.first + f) * center.room + std::size_t(t);
      const Pack slope = load(&center.slope[at]);
      Pack q = splat(g[0]);
      if (channel.highest_l > 0) {
        const Pack over_r = load(&center.value[at]) * inverse;
        Pack vx = splat(g[1]), vy = splat(g[2]), vz = splat(g[3]);
        q = fma(vx, x, fma(vy, y, fma(vz, z, q)));
        if (channel.highest_l > 1) {
          // twice the tensor times the unit vector: off-diagonal components stand for two
          const Pack hx = fma(splat(2.0 * g[4]), x, fma(splat(g[7]), y, splat(g[8]) * z));
          const Pack hy = fma(splat(g[7]), x, fma(splat(2.0 * g[5]), y, splat(g[9]) * z));
          const Pack hz = fma(splat(g[8]), x, fma(splat(g[9]), y, splat(2.0 * g[6]) * z));
          q = fma(splat(0.5), fma(hx, x, fma(hy, y, hz * z)), q);
          vx = vx + hx;
          vy = vy + hy;
          vz = vz + hz;
        }
        tx = fma(over_r, vx, tx);
        ty = fma(over_r, vy, ty);
        tz = fma(over_r, vz, tz);
      }
      along = fma(slope, q, along);
    }
    along = along - fma(tx, x, fma(ty, y, tz * z));
    store(&center.force_x[t], load(&center.force_x[t]) - fma(along, x, tx));
    store(&center.force_y[t], load(&center.force_y[t]) - fma(along, y, ty));
    store(&center.force_z[t], load(&center.force_z[t]) - fma(along, z, tz));
  }
}

LPSNMR_INLINE void evaluate_block(const DensityBlockTable &block, DensityCenter &center) {
  const int all = block.stride[0] + 3 * block.stride[1] + 6 * block.stride[2];
  for (int k = 0; k < all; k += width) {
    store(&center.moments[k], splat(0.0));
    store(&center.adjoints[k], splat(0.0));
  }
  for (const DensityChannelTable &channel : block.channels) {
    evaluate_radial(channel, center);
    for (int f = 0; f < channel.functions; ++f) sum_moments(block, channel, f, center);
  }
  for (int l = 0; l < 3; ++l) multiply_moments(block, l, center);
  const double energy = contract_products(block, center);
  for (int l = 0; l < 3; ++l) pull_back_products(block, l, center);
  center.energy += fade(block, energy, center);
  for (const DensityChannelTable &channel : block.channels) {
    gather_adjoints(block, channel, center);
    pull_neighbors(channel, center);
  }
}

/// The centre takes the opposite of all forces; virial.
LPSNMR_INLINE void sum_forces(int count, bool virial_wanted, DensityCenter &center) {
  const Pack zero = splat(0.0);
  Pack fx = zero, fy = zero, fz = zero, virial[6];
  for (Pack &v : virial) v = zero;
  for (int t = 0; t < count; t += width) {
    const Pack px = load(&center.force_x[t]), py = load(&center.force_y[t]),
               pz = load(&center.force_z[t]);
    fx = fx + px;
    fy = fy + py;
    fz = fz + pz;
    if (!virial_wanted) continue;
    const Pack x = load(&center.x[t]), y = load(&center.y[t]), z = load(&center.z[t]);
    virial[0] = fma(px, x, virial[0]);
    virial[1] = fma(py, y, virial[1]);
    virial[2] = fma(pz, z, virial[2]);
    virial[3] = fma(py, x, virial[3]);
    virial[4] = fma(pz, x, virial[4]);
    virial[5] = fma(pz, y, virial[5]);
  }
  center.force[0] = -sum(fx);
  center.force[1] = -sum(fy);
  center.force[2] = -sum(fz);
  if (virial_wanted)
    for (int c = 0; c < 6; ++c) center.virial[c] = sum(virial[c]);
}

void evaluate_density_center(const DensityKernel::Input &in, DensityCenter &center) {
  collect_species(in, center);
  const int count = (center.end.back() + 7) / 8 * 8;
  measure_neighbors(count, center);
  center.energy = 0.0;
  for (const DensityBlockTable &block : in.potential->blocks(static_cast<int>(in.center->species)))
    evaluate_block(block, center);
  sum_forces(count, in.virial_wanted, center);
}

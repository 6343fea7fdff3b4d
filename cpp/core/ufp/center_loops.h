// The loops over pairs and triplets of one centre; included once per instruction set, inside
// namespace and target region of simd/versions.h. Pack, Contraction and their functions come from
// the headers of simd/ included before.

/// Entries of a pack of distances, and the distances from where the entries begin.
LPSNMR_INLINE void find_entries(const KnotLookup &table, Pack r, Pack &entry, Pack &u) {
  const Pack zero = splat(0.0);
  const Pack raw = fma(r - splat(table.low), splat(table.cells_per_length), splat(1.0));
  const Pack cell = truncated(maximum(minimum(raw, splat(table.last_cell)), zero));
  if (table.uniform) {
    entry = cell;
    u = r - fma(maximum(cell - splat(1.0), zero), splat(table.width), splat(table.low));
    return;
  }
  entry = look_up(table.lookup.data(), cell);
  for (int step = 0; step < table.steps; ++step) {
    const Mask before = less(r, look_up(table.next.data(), entry));
    entry = entry + (splat(1.0) - keep(before, splat(1.0)));
  }
  u = r - look_up(table.origin.data(), entry);
}

/// Value and slope of V2 for a pack of partners, zero beyond the cutoff, and which are below the
/// first knot.
LPSNMR_INLINE void evaluate_pairs(const PairRow &row, Pack species, Pack r, Mask wanted,
                                  Pack &value, Pack &slope, Mask &short_range) {
  Pack u, low, cutoff, record;
  if (row.common) {
    low = splat(row.low[0]);
    cutoff = splat(row.cutoff[0]);
  } else {
    low = look_up(row.low.data(), species);
    cutoff = look_up(row.cutoff.data(), species);
  }
  const Mask inside = both(wanted, less(r, cutoff));
  if (row.uniform) {
    Pack scale, last, step;
    if (row.common) {
      scale = splat(row.cells_per_length[0]);
      last = splat(row.last_cell[0]);
      step = splat(row.width[0]);
    } else {
      scale = look_up(row.cells_per_length.data(), species);
      last = look_up(row.last_cell.data(), species);
      step = look_up(row.width.data(), species);
    }
    const Pack zero = splat(0.0), one = splat(1.0);
    const Pack cell = truncated(maximum(minimum(fma(r - low, scale, one), last), zero));
    u = r - fma(maximum(cell - one, zero), step, low);
    const Pack first = row.common ? species * (last + one) : look_up(row.start.data(), species);
    record = cell + first;
  } else {
    double distance[width], kind[width], offset[width], place[width];
    store(distance, r);
    store(kind, species);
    for (int lane = 0; lane < width; ++lane) {
      const std::size_t b = static_cast<std::size_t>(kind[lane]);
      const int entry = row.spans[b].find(distance[lane]);
      place[lane] = double(entry) + row.start[b];
      offset[lane] = distance[lane] - row.spans[b].origin[std::size_t(entry)];
    }
    u = load(offset);
    record = load(place);
  }
  Pack c0, c1, c2, c3;
  look_up_records(row.cubic.data(), record, c0, c1, c2, c3);
  value = keep(inside, fma(fma(fma(c3, u, c2), u, c1), u, c0));
  slope = keep(inside, fma(fma(splat(3.0) * c3, u, splat(2.0) * c2), u, c1));
  short_range = both(inside, less(r, low));
}

/// Collect the candidates [begin, end) within reach of anything; returns how many there are then.
LPSNMR_INLINE int collect_some(const Kernel::Input &in, const PairRow &row, int begin, int end,
                               bool near, Center &center, int found, unsigned &bad) {
  const Candidates &candidates = *in.candidates;
  const Pack xi = splat(in.center->x), yi = splat(in.center->y), zi = splat(in.center->z);
  const Pack tiny = splat(1e-16), reach2 = splat(row.reach * row.reach);
  const Pack far_weight = splat(candidates.far_weight);
  for (int b = begin; b < end; b += width) {
    Pack x, y, z, species;
    load_records(&in.atoms->x, candidates.index + b, x, y, z, species);
    const Pack dx = x - xi, dy = y - yi, dz = z - zi;
    const Pack r2 = fma(dx, dx, fma(dy, dy, dz * dz));
    const Mask real = first_lanes(end - b);
    bad |= bits(real) & ~bits(less(tiny, r2)); // together, or not a number
    const Mask inside = both(real, less(r2, reach2));
    compress(&center.x[found], inside, dx);
    compress(&center.y[found], inside, dy);
    compress(&center.z[found], inside, dz);
    compress(&center.squared[found], inside, r2);
    compress(&center.species[found], inside, species);
    compress(&center.index[found], inside, candidates.index + b);
    if (near)
      compress(&center.weight[found], inside, load(candidates.weight + b));
    else
      store(&center.weight[found], far_weight);
    found += __builtin_popcount(bits(inside));
  }
  return found;
}

/// Collect the candidates within reach of anything; returns false where one lies on the centre or
/// has no position.
LPSNMR_INLINE bool collect_neighbors(const Kernel::Input &in, const PairRow &row, Center &center,
                                     int &near, int &all) {
  const int bound = in.candidates->near;
  unsigned bad = 0;
  near = collect_some(in, row, 0, bound, true, center, 0, bad);
  all = collect_some(in, row, bound, in.candidates->total, false, center, near, bad);
  return bad == 0;
}

/// Keep what a tally per atom needs of a pack of pairs.
inline void record_pairs(const Center &center, int b, unsigned lanes, Pack value, Pack pull,
                         std::vector<PairRecord> &records) {
  for (; lanes != 0; lanes &= lanes - 1) {
    const int lane = __builtin_ctz(lanes);
    const std::size_t t = std::size_t(b + lane);
    if (center.weight[t] == 2.0)
      records.push_back(
          {center.index[t], value[lane], pull[lane], {center.x[t], center.y[t], center.z[t]}});
  }
}

/// Two-body sums over the collected neighbours; keeps the three-body ones among the first `near`.
LPSNMR_INLINE void sum_pairs(const Kernel::Input &in, const PairRow &row, Center &center, int near,
                             int all) {
  const Pack zero = splat(0.0), tiny = splat(1e-16);
  Pack energy = zero, fx = zero, fy = zero, fz = zero, virial[6];
  for (Pack &v : virial) v = zero;
  int kept = 0;
  Pack short_range = zero;
  for (int b = 0; b < all; b += width) {
    const Pack dx = load(&center.x[b]), dy = load(&center.y[b]), dz = load(&center.z[b]);
    const Pack species = load(&center.species[b]);
    const Mask real = first_lanes(all - b);
    const Pack weight = load(&center.weight[b]);
    Pack r, inverse, value, slope;
    Mask short_ones;
    inverse_root(maximum(load(&center.squared[b]), tiny), r, inverse);
    evaluate_pairs(row, species, r, real, value, slope, short_ones);
    const Pack pull = keep(real, slope * inverse * weight);
    const Pack px = pull * dx, py = pull * dy, pz = pull * dz;
    if (in.needs->pairs) record_pairs(center, b, bits(real), value, pull, *in.needs->pairs);
    energy = energy + keep(real, value * weight);
    short_range = short_range + keep(short_ones, weight);
    fx = fx + px;
    fy = fy + py;
    fz = fz + pz;
    if (in.needs->virial) {
      virial[0] = fma(px, dx, virial[0]);
      virial[1] = fma(py, dy, virial[1]);
      virial[2] = fma(pz, dz, virial[2]);
      virial[3] = fma(px, dy, virial[3]);
      virial[4] = fma(px, dz, virial[4]);
      virial[5] = fma(py, dz, virial[5]);
    }
    add_vectors(in.forces, &center.index[b], all - b, zero - px, zero - py, zero - pz);
    if (b >= near) continue;
    const Pack near_cutoffs =
        row.few ? look_up_short(row.near.data(), species) : look_up(row.near.data(), species);
    const Mask wanted = both(first_lanes(near - b), less(r, near_cutoffs));
    compress(&center.x[kept], wanted, dx);
    compress(&center.y[kept], wanted, dy);
    compress(&center.z[kept], wanted, dz);
    compress(&center.species[kept], wanted, species);
    compress(&center.index[kept], wanted, &center.index[b]);
    compress(&center.distance[kept], wanted, r);
    compress(&center.inverse[kept], wanted, inverse);
    kept += __builtin_popcount(bits(wanted));
  }
  center.neighbors = kept;
  center.pair_energy = sum(energy);
  center.short_range_pairs = sum(short_range);
  center.force[0] = sum(fx);
  center.force[1] = sum(fy);
  center.force[2] = sum(fz);
  if (in.needs->virial)
    for (int c = 0; c < 6; ++c) center.pair_virial[c] = -sum(virial[c]);
}

/// Bounds of the species among the neighbours, zeroed sums, and where r_ij lies on its knots.
LPSNMR_INLINE void prepare_triplets(const Tables &tables, int species, Center &center) {
  const int n = center.neighbors;
  for (int &bound : center.first) bound = 0;
  for (int t = 0; t < n; t += width) {
    const Pack zero = splat(0.0), kinds = load(&center.species[t]);
    const Mask real = first_lanes(n - t);
    store(&center.radial[t], zero);
    store(&center.force_x[t], zero);
    store(&center.force_y[t], zero);
    store(&center.force_z[t], zero);
    for (int s = 1; s <= tables.species(); ++s)
      center.first[s] += __builtin_popcount(bits(both(real, less(kinds, splat(s)))));
  }
  const CenterTables &own = tables.center(species);
  if (own.common) {
    for (int t = 0; t < n; t += width) {
      Pack entry, u;
      find_entries(own.radial, load(&center.distance[t]), entry, u);
      store_truncated(&center.entry[t], entry);
      store(&center.u[t], u);
    }
    return;
  }
  for (int t = 0; t < n; ++t)
    for (int g : tables.grids_needed(species, static_cast<int>(center.species[t]))) {
      const KnotLookup &grid = tables.grid(g);
      const std::size_t at = std::size_t(g) * center.room + std::size_t(t);
      const double r = center.distance[t];
      center.entry[at] = grid.find(r);
      center.u[at] = r - grid.origin[std::size_t(center.entry[at])];
    }
}

/// Append the triplets of j with the neighbours k in [begin, end) to the list.
LPSNMR_INLINE void append_row(const CenterTables &own, const TripletLayout &table, Center &center,
                              int j, int begin, int end) {
  TripletList &list = center.triplets;
  const std::size_t grid_ij = own.common ? 0 : std::size_t(table.grid_ij) * center.room;
  const std::size_t grid_ik = own.common ? 0 : std::size_t(table.grid_ik) * center.room;
  const int *const entry_k = &center.entry[grid_ik];
  const double *const u_k = &center.u[grid_ik];
  const int first = table.first_cell + center.entry[grid_ij + std::size_t(j)] * own.stride_ij;
  const Pack u_j = splat(center.u[grid_ij + std::size_t(j)]);
  const Pack xj = splat(center.x[j]), yj = splat(center.y[j]), zj = splat(center.z[j]);
  const Pack cutoff_ik = splat(table.cutoff_ik), cutoff_jk = splat(table.cutoff_jk);
  for (int k = begin, at = list.count; k < end; k += width, at += width) {
    store(&list.x[at], load(&center.x[k]) - xj);
    store(&list.y[at], load(&center.y[k]) - yj);
    store(&list.z[at], load(&center.z[k]) - zj);
    store(&list.limit[at], keep(less(load(&center.distance[k]), cutoff_ik), cutoff_jk));
    store(&list.u_ij[at], u_j);
    store(&list.u_ik[at], load(u_k + k));
    multiply_add(&list.cell[at], entry_k + k, own.stride_ik, first);
  }
  list.rows[list.row_count++] = {j, begin, list.count};
  list.count += end - begin;
}

/// r_jk of the list and where it lies on its knots; lists the triplets within the cutoffs.
LPSNMR_INLINE void measure_list(const KnotLookup &knots, TripletList &list) {
  const Pack tiny = splat(1e-24);
  list.wanted_count = 0;
  fill(&list.cell[list.count], 0); // the last vector may reach beyond the rows
  for (int t = 0; t < list.count; t += width) {
    const Pack dx = load(&list.x[t]), dy = load(&list.y[t]), dz = load(&list.z[t]);
    Pack r, inverse, entry, u;
    inverse_root(maximum(fma(dx, dx, fma(dy, dy, dz * dz)), tiny), r, inverse);
    const Mask inside = both(first_lanes(list.count - t), less(r, load(&list.limit[t])));
    find_entries(knots, r, entry, u);
    add_truncated(&list.cell[t], entry);
    compress(&list.u_jk[list.wanted_count], inside, u);
    store(&list.inverse[t], inverse);
    int numbers[width];
    count_up(numbers, t);
    compress(&list.wanted[list.wanted_count], inside, numbers);
    list.wanted_count += __builtin_popcount(bits(inside));
  }
}

/// Energy and slopes of every triplet of the list; zero beyond the cutoffs.
LPSNMR_INLINE void contract_list(const Tables &tables, CellPolynomials &blocks, int species,
                                 TripletList &list) {
  const bool dense = list.wanted_count == list.count;
  if (!dense)
    for (int t = 0; t < list.count; t += width)
      for (double *result : {list.value, list.ij, list.ik, list.jk}) store(&result[t], splat(0.0));
  for (int w = 0; w < list.wanted_count; w += width) {
    const int lanes = std::min(width, list.wanted_count - w);
    Contraction sums;
    if (lanes < width) sums.clear();
    for (int lane = 0; lane < lanes; ++lane) {
      const int t = list.wanted[w + lane];
      sums.add(lane, blocks.find(tables, species, list.cell[t]), list.u_ij[t], list.u_ik[t]);
    }
    Pack value, ij, ik, jk;
    sums.finish(load(&list.u_jk[w]), value, ij, ik, jk);
    if (dense) {
      store(&list.value[w], value);
      store(&list.ij[w], ij);
      store(&list.ik[w], ik);
      store(&list.jk[w], jk);
    } else {
      for (int lane = 0; lane < lanes; ++lane) {
        const int t = list.wanted[w + lane];
        list.value[t] = value[lane];
        list.ij[t] = ij[lane];
        list.ik[t] = ik[lane];
        list.jk[t] = jk[lane];
      }
    }
  }
}

/// Add up a list row by row: slopes along r_ij and r_ik, forces along r_jk.
LPSNMR_INLINE Pack scatter_list(Center &center) {
  const TripletList &list = center.triplets;
  const Pack zero = splat(0.0);
  Pack energy = zero;
  for (int row = 0; row < list.row_count; ++row) {
    const int j = list.rows[row].j, begin = list.rows[row].begin;
    const int end = row + 1 < list.row_count ? list.rows[row + 1].at : list.count;
    Pack radial = zero, fx = zero, fy = zero, fz = zero;
    for (int t = list.rows[row].at, k = begin; t < end; t += width, k += width) {
      const Mask real = first_lanes(end - t);
      energy = energy + keep(real, load(&list.value[t]));
      radial = radial + keep(real, load(&list.ij[t]));
      store(&center.radial[k], load(&center.radial[k]) + keep(real, load(&list.ik[t])));
      // on j along r_jk
      const Pack pull = keep(real, load(&list.jk[t]) * load(&list.inverse[t]));
      const Pack px = pull * load(&list.x[t]), py = pull * load(&list.y[t]),
                 pz = pull * load(&list.z[t]);
      fx = fx + px;
      fy = fy + py;
      fz = fz + pz;
      store(&center.force_x[k], load(&center.force_x[k]) - px);
      store(&center.force_y[k], load(&center.force_y[k]) - py);
      store(&center.force_z[k], load(&center.force_z[k]) - pz);
    }
    double sums[4];
    sum_each(radial, fx, fy, fz, sums);
    center.radial[j] += sums[0];
    center.force_x[j] += sums[1];
    center.force_y[j] += sums[2];
    center.force_z[j] += sums[3];
  }
  return energy;
}

/// The triplets of the list within the cutoffs, one by one.
inline void record_list(const TripletList &list, std::vector<TripletRecord> &records) {
  for (int w = 0, row = 0; w < list.wanted_count; ++w) {
    const int t = list.wanted[w];
    while (row + 1 < list.row_count && list.rows[row + 1].at <= t) ++row;
    const TripletList::Row &from = list.rows[row];
    records.push_back(
        {from.j, from.begin + t - from.at, list.value[t], list.ij[t], list.ik[t], list.jk[t]});
  }
}

/// Evaluate the list, whose r_jk lie on `knots`, and empty it.
LPSNMR_INLINE Pack evaluate_list(const Kernel::Input &in, int species, const KnotLookup &knots,
                                 Center &center) {
  TripletList &list = center.triplets;
  measure_list(knots, list);
  center.triplet_count += list.wanted_count;
  contract_list(*in.tables, *in.blocks, species, list);
  const Pack energy = scatter_list(center);
  if (in.needs->triplets) record_list(list, *in.needs->triplets);
  list.count = list.row_count = 0;
  return energy;
}

/// All pairs of neighbours; a row runs over the larger of two groups of species.
LPSNMR_INLINE void sum_triplets(const Kernel::Input &in, int species, Center &center) {
  const Tables &tables = *in.tables;
  const CenterTables &own = tables.center(species);
  const std::vector<int> &first = center.first;
  TripletList &list = center.triplets;
  Pack energy = splat(0.0);
  list.count = list.row_count = 0;
  for (int p = 0; p < tables.species(); ++p)
    for (int q = p; q < tables.species(); ++q) {
      const bool swap = first[p + 1] - first[p] > first[q + 1] - first[q];
      const int b = swap ? q : p, c = swap ? p : q, end = first[c + 1];
      const TripletLayout &table = tables.triplet(species, b, c);
      if (!table.present) continue;
      const KnotLookup &knots = own.common ? own.jk : tables.grid(table.grid_jk);
      for (int j = first[b]; j < first[b + 1]; ++j) {
        if (!(center.distance[j] < table.cutoff_ij)) continue;
        for (int k = b == c ? j + 1 : first[c], next; k < end; k = next) {
          next = std::min(end, k + TripletList::size - list.count);
          append_row(own, table, center, j, k, next);
          if (list.count == TripletList::size)
            energy = energy + evaluate_list(in, species, knots, center);
        }
      }
      if (!own.common && list.count > 0)
        energy = energy + evaluate_list(in, species, knots, center);
    }
  if (list.count > 0) energy = energy + evaluate_list(in, species, own.jk, center);
  center.triplet_energy = sum(energy);
}

/// Turn slopes along the neighbours into forces; the centre takes the opposite of them all.
LPSNMR_INLINE void finish_triplets(Center &center, bool virial_wanted, double *forces) {
  const Pack zero = splat(0.0);
  Pack fx = zero, fy = zero, fz = zero, virial[6];
  for (Pack &v : virial) v = zero;
  for (int t = 0; t < center.neighbors; t += width) {
    const Mask real = first_lanes(center.neighbors - t);
    const Pack x = keep(real, load(&center.x[t])), y = keep(real, load(&center.y[t])),
               z = keep(real, load(&center.z[t]));
    const Pack pull = keep(real, load(&center.radial[t]) * load(&center.inverse[t]));
    const Pack px = keep(real, load(&center.force_x[t])) - pull * x;
    const Pack py = keep(real, load(&center.force_y[t])) - pull * y;
    const Pack pz = keep(real, load(&center.force_z[t])) - pull * z;
    add_vectors(forces, &center.index[t], center.neighbors - t, px, py, pz);
    fx = fx + px;
    fy = fy + py;
    fz = fz + pz;
    if (!virial_wanted) continue;
    virial[0] = fma(px, x, virial[0]);
    virial[1] = fma(py, y, virial[1]);
    virial[2] = fma(pz, z, virial[2]);
    virial[3] = fma(py, x, virial[3]);
    virial[4] = fma(pz, x, virial[4]);
    virial[5] = fma(pz, y, virial[5]);
  }
  center.force[0] -= sum(fx);
  center.force[1] -= sum(fy);
  center.force[2] -= sum(fz);
  if (virial_wanted)
    for (int c = 0; c < 6; ++c) center.triplet_virial[c] = sum(virial[c]);
}

void evaluate_center(const Kernel::Input &in, Center &center) {
  const int species = static_cast<int>(in.center->species);
  const PairRow &row = in.tables->pairs(species);
  if (in.needs->pairs) in.needs->pairs->clear();
  if (in.needs->triplets) in.needs->triplets->clear();
  int near, all;
  center.valid = collect_neighbors(in, row, center, near, all);
  sum_pairs(in, row, center, near, all);
  center.triplet_energy = 0.0;
  center.triplet_count = 0;
  for (double &v : center.triplet_virial) v = 0.0;
  if (center.neighbors == 0) return;
  prepare_triplets(*in.tables, species, center);
  sum_triplets(in, species, center);
  finish_triplets(center, in.needs->virial, in.forces);
}

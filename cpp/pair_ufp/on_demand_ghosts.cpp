#include "on_demand_ghosts.h"

#include "abort_with_message.h"

#include "atom.h"
#include "comm.h"
#include "domain.h"
#include "lammps.h"

#include <algorithm>
#include <climits>
#include <cmath>
#include <limits>

namespace LAMMPS_NS {
namespace {

constexpr double slack = 1e-9;      // what rounding may move a fractional coordinate
constexpr double far_away = 1e5;    // cells: so far out no atom is that LAMMPS has not lost
constexpr double most_places = 1e8; // more would not fit in memory

/// What travels of an atom.
struct Traveller {
  double x[3];
  double type, tag;
};

std::array<double, 3> fractional(const Domain &domain, const double *x) {
  const double dx = x[0] - domain.boxlo[0], dy = x[1] - domain.boxlo[1],
               dz = x[2] - domain.boxlo[2];
  if (!domain.triclinic) return {dx / domain.prd[0], dy / domain.prd[1], dz / domain.prd[2]};
  const double *const h = domain.h_inv;
  return {h[0] * dx + h[5] * dy + h[4] * dz, h[1] * dy + h[3] * dz, h[2] * dz};
}

/// Å⁻¹: how much a fractional coordinate changes with a distance, at most.
std::array<double, 3> steepness(const Domain &domain) {
  if (!domain.triclinic) return {1.0 / domain.prd[0], 1.0 / domain.prd[1], 1.0 / domain.prd[2]};
  const double *const h = domain.h_inv;
  return {std::sqrt(h[0] * h[0] + h[5] * h[5] + h[4] * h[4]), std::hypot(h[1], h[3]),
          std::abs(h[2])};
}

/// Where the parts of several ranks begin; the last entry is their sum.
std::vector<int> begins(const std::vector<int> &counts) {
  std::vector<int> begin(counts.size() + 1, 0);
  for (std::size_t r = 0; r < counts.size(); ++r) begin[r + 1] = begin[r] + counts[r];
  return begin;
}

} // namespace

/// The box around the own atoms; one that nothing is in when there are none.
OnDemandGhosts::Box OnDemandGhosts::find_box(const std::vector<char> &counts) {
  const Atom &atom = *lmp_->atom;
  const double infinite = std::numeric_limits<double>::infinity();
  Box box{infinite, infinite, infinite, -infinite, -infinite, -infinite};
  for (int i = 0; i < atom.nlocal; ++i) {
    if (!counts[atom.type[i]]) continue;
    const std::array<double, 3> s = fractional(*lmp_->domain, atom.x[i]);
    for (int a = 0; a < 3; ++a) {
      if (!(std::abs(s[a]) < far_away))
        abort_with_message(lmp_, FLERR,
                           who_ + ": a position of atom " + std::to_string(tags_[i]) +
                               " is not a number, or far out of the box");
      box[a] = std::min(box[a], s[a]);
      box[3 + a] = std::max(box[3 + a], s[a]);
    }
  }
  return box;
}

bool OnDemandGhosts::images(int a, double s, const Box &box, int &first, int &last) const {
  first = last = 0;
  const double low = box[a] - margin_[a] - s, high = box[3 + a] + margin_[a] - s;
  if (!lmp_->domain->periodicity[a]) return low <= 0.0 && high >= 0.0;
  if (!(low <= high)) return false; // a box of nothing
  first = static_cast<int>(std::ceil(low));
  last = static_cast<int>(std::floor(high));
  return first <= last;
}

/// Note, rank by rank, the own atoms of which an image comes within reach of its atoms.
void OnDemandGhosts::choose_atoms_to_send(const std::vector<char> &counts,
                                          const std::vector<Box> &boxes) {
  const Atom &atom = *lmp_->atom;
  const int me = lmp_->comm->me, ranks = lmp_->comm->nprocs;
  sent_.clear();
  sent_to_.assign(ranks, 0);
  std::vector<std::array<double, 3>> places(atom.nlocal);
  for (int i = 0; i < atom.nlocal; ++i) places[i] = fractional(*lmp_->domain, atom.x[i]);
  for (int r = 0; r < ranks; ++r) {
    if (r == me) continue;
    const std::size_t before = sent_.size();
    for (int i = 0; i < atom.nlocal; ++i) {
      if (!counts[atom.type[i]]) continue;
      int first, last;
      bool reaches = true;
      for (int a = 0; a < 3 && reaches; ++a)
        reaches = images(a, places[i][a], boxes[r], first, last);
      if (reaches) sent_.push_back(i);
    }
    sent_to_[r] = static_cast<int>(sent_.size() - before);
  }
}

/// Append the other ranks' atoms behind the own ones.
void OnDemandGhosts::receive_atoms() {
  const Atom &atom = *lmp_->atom;
  received_from_.resize(sent_to_.size());
  MPI_Alltoall(sent_to_.data(), 1, MPI_INT, received_from_.data(), 1, MPI_INT, lmp_->world);
  others_ = begins(received_from_).back();
  types_.resize(atom.nlocal + others_);
  tags_.resize(atom.nlocal + others_);
  x_.resize(3 * types_.size());
  std::vector<Traveller> travellers(types_.size());
  for (const int i : sent_) {
    Traveller &t = travellers[i];
    std::copy_n(atom.x[i], 3, t.x);
    t.type = atom.type[i];
    t.tag = static_cast<double>(tags_[i]);
  }
  share(travellers.data(), sizeof(Traveller), {});
  for (std::size_t k = atom.nlocal; k < types_.size(); ++k) {
    std::copy_n(travellers[k].x, 3, x_.data() + 3 * k);
    types_[k] = static_cast<int>(travellers[k].type);
    tags_[k] = static_cast<tagint>(travellers[k].tag);
  }
}

void OnDemandGhosts::add_images(double reach, const std::vector<char> &counts, const Box &box) {
  const Domain &domain = *lmp_->domain;
  places_.clear();
  if (!(box[0] <= box[3])) return places_.sort(reach); // no own atoms: nothing is looked for
  double most = double(size());
  for (int a = 0; a < 3; ++a)
    if (domain.periodicity[a]) most *= box[3 + a] - box[a] + 2.0 * margin_[a] + 1.0;
  if (most > most_places)
    abort_with_message(
        lmp_, FLERR,
        who_ + ": the model reaches more images of the atoms than fit in memory; is the box "
               "in Å, and has no atom left it?");
  const double *const h = domain.h, xz = domain.triclinic ? h[4] : 0.0,
                      xy = domain.triclinic ? h[5] : 0.0, yz = domain.triclinic ? h[3] : 0.0;
  for (int k = 0; k < size(); ++k) {
    if (!counts[types_[k]]) continue;
    const double *const x = x_.data() + 3 * k;
    const std::array<double, 3> s = fractional(domain, x);
    int first[3], last[3];
    bool reaches = true;
    for (int a = 0; a < 3 && reaches; ++a) reaches = images(a, s[a], box, first[a], last[a]);
    if (!reaches) continue;
    for (int u = first[0]; u <= last[0]; ++u)
      for (int v = first[1]; v <= last[1]; ++v)
        for (int w = first[2]; w <= last[2]; ++w)
          places_.add(x[0] + (u * domain.prd[0] + v * xy + w * xz),
                      x[1] + (v * domain.prd[1] + w * yz), x[2] + w * domain.prd[2], k);
  }
  places_.sort(reach);
}

void OnDemandGhosts::gather(double reach, const std::vector<char> &counts) {
  const Atom &atom = *lmp_->atom;
  const std::array<double, 3> steep = steepness(*lmp_->domain);
  for (int a = 0; a < 3; ++a) margin_[a] = reach * steep[a] + slack;
  types_.assign(atom.type, atom.type + atom.nlocal);
  tags_.assign(atom.nlocal, 0);
  if (atom.tag_enable) std::copy_n(atom.tag, atom.nlocal, tags_.begin());
  const Box box = find_box(counts);
  others_ = 0;
  if (lmp_->comm->nprocs > 1) {
    std::vector<Box> boxes(lmp_->comm->nprocs);
    MPI_Allgather(box.data(), 6, MPI_DOUBLE, boxes.data(), 6, MPI_DOUBLE, lmp_->world);
    choose_atoms_to_send(counts, boxes);
    receive_atoms();
  }
  x_.resize(3 * types_.size());
  for (int i = 0; i < atom.nlocal; ++i) std::copy_n(atom.x[i], 3, x_.data() + 3 * i);
  add_images(reach, counts, box);
}

std::size_t OnDemandGhosts::find(int i, double cutoff,
                                 lpsnmr::neighbors::NeighborList &list) const {
  return places_.find(x_.data() + 3 * static_cast<std::size_t>(i), cutoff, i, list, 0);
}

void OnDemandGhosts::share(void *values, std::size_t bytes, const std::vector<char> &counts) {
  if (lmp_->comm->nprocs == 1) return;
  const auto wanted = [&](int k) { return counts.empty() || counts[types_[k]]; };
  char *const rows = static_cast<char *>(values);
  const std::size_t ranks = sent_to_.size();
  if ((sent_.size() + others_) * bytes > INT_MAX)
    abort_with_message(lmp_, FLERR, who_ + ": too many atoms on one rank; use more ranks");
  std::vector<char> out, in;
  std::vector<int> out_counts(ranks, 0), in_counts(ranks, 0);
  std::size_t at = 0, wanted_rows = 0;
  for (std::size_t r = 0; r < ranks; ++r)
    for (int k = 0; k < sent_to_[r]; ++k) {
      const int i = sent_[at++];
      if (!wanted(i)) continue;
      out.insert(out.end(), rows + i * bytes, rows + (i + 1) * bytes);
      out_counts[r] += static_cast<int>(bytes);
    }
  const int own = lmp_->atom->nlocal;
  int other = own;
  for (std::size_t r = 0; r < ranks; ++r)
    for (int k = 0; k < received_from_[r]; ++k)
      if (wanted(other++)) in_counts[r] += static_cast<int>(bytes), ++wanted_rows;
  in.resize(wanted_rows * bytes);
  MPI_Alltoallv(out.data(), out_counts.data(), begins(out_counts).data(), MPI_BYTE, in.data(),
                in_counts.data(), begins(in_counts).data(), MPI_BYTE, lmp_->world);
  const char *from = in.data();
  for (int k = own; k < size(); ++k) {
    if (!wanted(k)) continue;
    std::copy_n(from, bytes, rows + k * bytes);
    from += bytes;
  }
}

double OnDemandGhosts::memory_usage() const {
  return double(x_.capacity()) * sizeof(double) + double(tags_.capacity()) * sizeof(tagint) +
         double(types_.capacity() + sent_.capacity()) * sizeof(int) +
         double(places_.size()) * 2 * (3 * sizeof(double) + sizeof(int));
}

} // namespace LAMMPS_NS

#include "ufp_kernel.h"

#include "triplets.h"

#include <algorithm>
#include <cmath>

namespace lpsnmr {

UfpKernel::~UfpKernel() = default;

UfpKernel::UfpKernel(const UfpPotential &potential)
    : potential_(potential), work_(std::make_unique<TripletWorkspace>()) {
  const int n = potential.species();
  grids_needed_.resize(std::size_t(n) * n);
  if (!potential.three_body()) return;
  for (int a = 0; a < n; ++a)
    for (int b = 0; b < n; ++b)
      for (int c = b; c < n; ++c) {
        const TripleTable &table = potential.triple(a, b, c);
        const auto need = [&](int species, int grid) {
          std::vector<int> &list = grids_needed_[std::size_t(a) * n + species];
          if (std::find(list.begin(), list.end(), grid) == list.end()) list.push_back(grid);
        };
        need(b, table.grid_ij);
        need(c, table.grid_ik);
      }
  basis_.resize(potential.grids().size());
}

void UfpKernel::add(int index, int species, double dx, double dy, double dz, double r2) {
  const double r = std::sqrt(r2);
  neighbors_.push_back({{dx, dy, dz, 0.0}, r, 1.0 / r, index, species});
}

double UfpKernel::two_body(double *force, double *virial) const {
  double energy = 0;
  for (const UfpNeighbor &neighbor : neighbors_) {
    const PairTable &table = potential_.pair(species_, neighbor.species);
    const double r = neighbor.distance;
    if (r >= table.cutoff()) continue;
    if (r < table.first_knot()) ++short_range_;
    double slope;
    energy += table.evaluate(r, slope);
    const double pull = slope * neighbor.inverse;
    const double *d = neighbor.vector;
    for (int a = 0; a < 3; ++a) force[a] += 2.0 * pull * d[a];
    if (virial) {
      virial[0] -= pull * d[0] * d[0];
      virial[1] -= pull * d[1] * d[1];
      virial[2] -= pull * d[2] * d[2];
      virial[3] -= pull * d[0] * d[1];
      virial[4] -= pull * d[0] * d[2];
      virial[5] -= pull * d[1] * d[2];
    }
  }
  return energy;
}

void UfpKernel::sort_neighbors() {
  const int n = potential_.species();
  first_.assign(std::size_t(n) + 1, 0);
  const auto takes_part = [&](const UfpNeighbor &x) {
    return x.distance < potential_.three_body_cutoff(species_, x.species);
  };
  for (const UfpNeighbor &x : neighbors_)
    if (takes_part(x)) ++first_[std::size_t(x.species) + 1];
  for (int s = 0; s < n; ++s) first_[s + 1] += first_[s];
  sorted_.resize(first_[n]);
  std::vector<std::size_t> &next = first_; // filled from the front, then shifted back
  for (const UfpNeighbor &x : neighbors_)
    if (takes_part(x)) sorted_[next[x.species]++] = x;
  for (int s = n; s > 0; --s) first_[s] = first_[s - 1];
  first_[0] = 0;
}

void UfpKernel::evaluate_bases() {
  const int n = potential_.species();
  for (int s = 0; s < n; ++s)
    for (int grid : grids_needed_[std::size_t(species_) * n + s]) {
      std::vector<BasisValues> &values = basis_[grid];
      if (values.size() < sorted_.size()) values.resize(sorted_.size());
      const KnotGrid &knots = potential_.grids()[grid];
      for (std::size_t x = first_[s]; x < first_[s + 1]; ++x)
        knots.evaluate(sorted_[x].distance, values[x]);
    }
}

const std::vector<double> &UfpKernel::triplet_forces() const {
  return work_->forces;
}

double UfpKernel::three_body(double *force, double *virial, std::vector<TripletRecord> *records) {
  if (records) records->clear();
  sorted_.clear();
  if (potential_.three_body()) sort_neighbors();
  const std::size_t n = sorted_.size();
  work_->reset(n);
  if (n == 0) return 0.0;
  evaluate_bases();
  for (std::size_t k = 0; k < n; ++k) {
    work_->x[k] = sorted_[k].vector[0];
    work_->y[k] = sorted_[k].vector[1];
    work_->z[k] = sorted_[k].vector[2];
  }
  const TripletCenter center{&potential_, species_, &sorted_, first_.data(), &basis_, work_.get()};
  const double energy = evaluate_triplets(center, records);
  for (std::size_t k = 0; k < n; ++k) {
    const double pull = work_->radial[k] * sorted_[k].inverse;
    const double *d = sorted_[k].vector;
    double *f = &work_->forces[4 * k];
    for (int a = 0; a < 3; ++a) {
      f[a] -= pull * d[a];
      force[a] -= f[a];
    }
    if (virial) {
      virial[0] += d[0] * f[0];
      virial[1] += d[1] * f[1];
      virial[2] += d[2] * f[2];
      virial[3] += d[0] * f[1];
      virial[4] += d[0] * f[2];
      virial[5] += d[1] * f[2];
    }
  }
  return energy;
}

} // namespace lpsnmr

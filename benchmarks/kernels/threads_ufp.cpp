// Would threads inside pair_style ufp beat MPI ranks on small cells? Wall time of the sums over all
// centres of a cell on one and on two threads that meet at a barrier twice a step.
//
//     cmake -S . -B build/plain -DLPSNMR_PYTHON=OFF -DLPSNMR_PLUGIN=OFF
//     cmake --build build/plain
//     g++ -O3 -std=c++17 -Icpp -o build/threads_ufp benchmarks/kernels/threads_ufp.cpp
//         build/plain/cpp/core/liblpsnmr_core.a -pthread
//     python benchmarks/kernels/threads_cells.py | build/threads_ufp lps_23body.uf3
//
// Standard input: for each cell the numbers of owned atoms and of all with their images, then x y z
// species of each, owned ones first. Forces of the second thread are added to those of the first
// after the second barrier; that is counted, the exchange of ghosts and everything else of LAMMPS
// is not, as threads would leave it to one core.
#include "core/ufp/candidates.h"
#include "core/ufp/kernel.h"
#include "core/ufp/uf3_file.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <numeric>
#include <thread>
#include <vector>

namespace {

constexpr double skin = 1.0;

struct Cell {
  int owned, all;
  std::vector<lpsnmr::ufp::Atom> atoms;
};

class Barrier {
public:
  explicit Barrier(int count) : count_(count) {}
  void wait() {
    const int turn = turn_.load();
    if (waiting_.fetch_add(1) + 1 == count_) {
      waiting_.store(0);
      turn_.store(turn + 1);
    } else {
      while (turn_.load() == turn) __builtin_ia32_pause();
    }
  }

private:
  const int count_;
  std::atomic<int> waiting_{0}, turn_{0};
};

lpsnmr::ufp::CandidateLists lists_of(const lpsnmr::ufp::Potential &potential, const Cell &cell) {
  lpsnmr::ufp::CandidateLists lists;
  const double reach = potential.max_cutoff() + skin;
  for (int i = 0; i < cell.owned; ++i) {
    const lpsnmr::ufp::Atom &center = cell.atoms[std::size_t(i)];
    std::vector<int> near;
    for (int j = 0; j < cell.all; ++j) {
      const lpsnmr::ufp::Atom &a = cell.atoms[std::size_t(j)];
      const double x = a.x - center.x, y = a.y - center.y, z = a.z - center.z;
      if (j != i && x * x + y * y + z * z < reach * reach) near.push_back(j);
    }
    lists.add(potential, cell.atoms.data(), center, near.data(), nullptr, int(near.size()), skin);
  }
  return lists;
}

/// Microseconds of one pass over all centres; the energy is kept so that nothing is left out.
double time_pass(const lpsnmr::ufp::Potential &potential, const Cell &cell, int threads, int passes,
                 double &energy) {
  const lpsnmr::ufp::CandidateLists lists = lists_of(potential, cell);
  std::vector<std::vector<double>> forces(std::size_t(threads),
                                          std::vector<double>(std::size_t(4 * cell.all)));
  std::vector<double> energies(std::size_t(threads), 0.0);
  Barrier barrier(threads);
  const auto work = [&](int t) {
    lpsnmr::ufp::Kernel kernel(potential);
    const lpsnmr::ufp::Needs needs;
    std::vector<double> &mine = forces[std::size_t(t)];
    const int begin = cell.owned * t / threads, end = cell.owned * (t + 1) / threads;
    for (int pass = 0; pass < passes; ++pass) {
      barrier.wait();
      std::fill(mine.begin(), mine.end(), 0.0);
      double sum = 0.0;
      for (int i = begin; i < end; ++i) {
        const lpsnmr::ufp::Center &done =
            kernel.evaluate(cell.atoms.data(), cell.atoms[std::size_t(i)], lists[std::size_t(i)],
                            needs, mine.data());
        sum += done.pair_energy + done.triplet_energy;
      }
      energies[std::size_t(t)] = sum;
      barrier.wait();
      if (t == 0)
        for (int other = 1; other < threads; ++other)
          for (std::size_t k = 0; k < mine.size(); ++k) mine[k] += forces[std::size_t(other)][k];
    }
  };
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> pool;
  for (int t = 1; t < threads; ++t) pool.emplace_back(work, t);
  work(0);
  for (std::thread &thread : pool) thread.join();
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
  energy = std::accumulate(energies.begin(), energies.end(), 0.0);
  return took.count() / passes;
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: threads_ufp POTENTIAL.uf3 < CELLS\n");
    return 2;
  }
  const lpsnmr::ufp::Potential potential(lpsnmr::ufp::read_uf3(argv[1]), {"Li", "P", "S"},
                                         lpsnmr::ufp::BodyOrder::three);
  std::printf("| atoms | one thread, µs a step | two threads | faster |\n|---|---|---|---|\n");
  Cell cell;
  while (std::cin >> cell.owned >> cell.all) {
    cell.atoms.resize(std::size_t(cell.all));
    for (lpsnmr::ufp::Atom &a : cell.atoms) std::cin >> a.x >> a.y >> a.z >> a.species;
    const int passes = std::max(20, 200000 / cell.owned);
    std::vector<double> one, two;
    double energy_one, energy_two;
    for (int round = 0; round < 5; ++round) {
      one.push_back(time_pass(potential, cell, 1, passes, energy_one));
      two.push_back(time_pass(potential, cell, 2, passes, energy_two));
    }
    std::sort(one.begin(), one.end());
    std::sort(two.begin(), two.end());
    std::printf("| %d | %.1f | %.1f | %.2f |\n", cell.owned, one[2], two[2], one[2] / two[2]);
    if (std::abs(energy_one - energy_two) > 1e-9 * std::abs(energy_one)) return 1;
  }
}

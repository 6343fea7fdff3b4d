// The .uf3 text format: two- and three-body blocks of spline coefficients.
#pragma once

#include <array>
#include <string>
#include <vector>

namespace lpsnmr {

/// One `2B A B` block. The file's coefficients belong to the ORDERED pair sum: a dimer has the
/// energy 2 V(r).
struct TwoBodyBlock {
  std::array<std::string, 2> elements;
  double cutoff = 0;                ///< Å
  std::vector<double> knots;        ///< Å
  std::vector<double> coefficients; ///< eV, knots - 4
  std::string place;                ///< where the block starts, `name:line`
};

/// One `3B A B C` block: A is the central atom i, B is j, C is k.
struct ThreeBodyBlock {
  std::array<std::string, 3> elements;
  double cutoff_ij = 0, cutoff_ik = 0, cutoff_jk = 0; ///< Å
  std::vector<double> knots_ij, knots_ik, knots_jk;   ///< Å
  std::vector<double> coefficients;                   ///< eV, [ij][ik][jk], row-major
  std::string place;
};

struct PotentialFile {
  std::string name;  ///< as given, for messages
  std::string units; ///< LAMMPS unit style of the numbers, one for all blocks
  std::vector<TwoBodyBlock> pairs;
  std::vector<ThreeBodyBlock> triples;
};

/// Parse the whole text of a file.
///
/// @param text contents
/// @param name used in messages, `name:line: what, expected, got`
/// @throws Error for anything that is not a complete, consistent potential
PotentialFile parse_potential(const std::string &text, const std::string &name);

/// Parse several files that are one potential together, such as one per pair or triple.
///
/// Each holds one block at least, all are in the same units, and no block is given twice.
///
/// @param texts contents
/// @param names of the files, for messages
PotentialFile parse_potentials(const std::vector<std::string> &texts,
                               const std::vector<std::string> &names);

/// Return the whole contents of a file.
///
/// @param kind what the file is called in messages
/// @throws Error when it cannot be opened or read, or is larger than 1 GB
std::string read_text(const std::string &path, const char *kind = "potential file");

/// Read a file and parse it.
PotentialFile read_potential(const std::string &path);

} // namespace lpsnmr

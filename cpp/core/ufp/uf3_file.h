// The .uf3 text format: two- and three-body blocks of spline coefficients.
#pragma once

#include <array>
#include <string>
#include <vector>

namespace lpsnmr::ufp {

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

struct Uf3File {
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
Uf3File parse_uf3(const std::string &text, const std::string &name);

/// Parse several files that are one potential together, such as one per pair or triple.
///
/// Each holds one block at least, all are in the same units, and no block is given twice.
///
/// @param texts contents
/// @param names of the files, for messages
Uf3File parse_uf3_files(const std::vector<std::string> &texts,
                        const std::vector<std::string> &names);

/// Read a file and parse it.
Uf3File read_uf3(const std::string &path);

} // namespace lpsnmr::ufp

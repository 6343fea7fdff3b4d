// The .ufd text format: products of neighbour densities that stand beside a .uf3 potential.
//
//   #lpsnmr-ufd 1
//   UNITS metal
//   BASE SHA-256 of the .uf3 file it was fitted with, or -
//   CENTER S 34 3 308       centre, body orders (3, 4 or 34), channels, coefficients
//   BOUND -0.8 0.9 0.3      energies (eV) of an atom between which the terms are as they are;
//   beyond
//                           they approach low - room and high + room
//   CHANNEL P 2 2 1.2 5 19  neighbour, functions, highest l, first knot, cutoff, intervals
//   FUNCTION 4.1 6.2 ...    moments where terms begin to fade and where they are gone; intervals -
//   3
//                           coefficients of the inner cubic B-splines
//   COEFFICIENTS
//   308 numbers in eV, any number a line
//   END
#pragma once

#include <string>
#include <vector>

namespace lpsnmr::density {

/// One radial function: a cubic spline on equal intervals that vanishes with two derivatives at
/// both ends, and is zero outside.
struct RadialFunction {
  double full = 0, gone = 0;        ///< scalar moments between which the terms of the centre fade
  std::vector<double> coefficients; ///< of the intervals - 3 inner B-splines
};

/// The neighbours of one element in a block.
struct Channel {
  std::string element;
  int highest_l = 0;            ///< 0, 1 or 2
  double start = 0, cutoff = 0; ///< Å
  int intervals = 0;
  std::vector<RadialFunction> functions;
};

/// Terms around one element; an element may have several blocks.
struct Block {
  std::string center;
  bool three_body = false, four_body = false;  ///< products of two, of three moments
  double low = -1e300, high = 1e300, room = 1; ///< eV, on the energy of one atom
  std::vector<Channel> channels;
  std::vector<double> coefficients; ///< eV, in the order of Terms
  std::string place;                ///< where the block starts, `name:line`
};

struct UfdFile {
  std::string name;
  std::string units;
  std::string base; ///< SHA-256 of the .uf3 file it belongs to; empty: any
  std::vector<Block> blocks;
};

/// Whether a text begins as a .ufd file does.
bool is_ufd(const std::string &text);

/// Parse the whole text of a file.
///
/// @param name used in messages, `name:line: what, expected, got`
/// @throws Error for anything that is not complete and consistent
UfdFile parse_ufd(const std::string &text, const std::string &name);

} // namespace lpsnmr::density

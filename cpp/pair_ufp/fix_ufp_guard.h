// Looks after the atoms whenever they change ranks: positions that are no numbers, atoms that got
// lost. Pair style ufp adds it by itself.
#pragma once

#include "fix.h"

#include <string>
#include <vector>

namespace LAMMPS_NS {

class FixUFPGuard : public Fix {
public:
  /// ID of the fix that pair style ufp adds.
  static constexpr const char *default_id = "UFP_GUARD";

  FixUFPGuard(class LAMMPS *, int, char **);

  int setmask() override;
  void setup_pre_exchange() override;
  void pre_exchange() override;
  void min_pre_exchange() override;
  void setup_pre_neighbor() override;
  void pre_neighbor() override;
  void min_pre_neighbor() override;
  double memory_usage() override;

private:
  std::string name_atoms(const std::vector<tagint> &own) const;
  std::vector<tagint> all_tags(const std::vector<tagint> &own) const;
  void report_lost();

  std::vector<tagint> before_; // own atoms before they last changed ranks
  bigint reported_ = -1;       // number of atoms for which the loss is reported
};

} // namespace LAMMPS_NS

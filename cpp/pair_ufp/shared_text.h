// Text files that rank 0 reads for all.
#pragma once

#include <string>

namespace LAMMPS_NS {

/// Read a file on rank 0 and give the same text, or the same message, to all ranks.
///
/// Collective; throws nothing. Searched for like every LAMMPS potential.
///
/// @param kind  what the file is called in messages, such as "potential file"
/// @return      an error message, or an empty string
std::string read_text_everywhere(class LAMMPS *lmp, const std::string &path, const char *kind,
                                 std::string &text);

/// A message for the screen: what a damaged file put into it and is no UTF-8, or a control
/// character, becomes '?'.
std::string printable(const std::string &message);

/// Whether a step failed on any rank; collective. A rank out of memory must not be alone.
bool failed_anywhere(class LAMMPS *lmp, bool failed);

} // namespace LAMMPS_NS

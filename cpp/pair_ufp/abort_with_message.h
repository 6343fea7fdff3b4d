// Errors that one rank finds alone.
#pragma once

#include <string>

namespace LAMMPS_NS {

/// Stop all ranks with a message that only this rank knows, and see to it that it is read.
///
/// Like Error::one(), which it ends with. That prints and aborts at once, and a launcher that is
/// told to abort does not always pass on what it has just been given; so with several ranks the
/// message goes to stderr first, with time to arrive.
[[noreturn]] void abort_with_message(class LAMMPS *lmp, const std::string &file, int line,
                                     const std::string &message);

} // namespace LAMMPS_NS

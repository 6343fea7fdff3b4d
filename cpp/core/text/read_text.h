// The whole contents of a file.
#pragma once

#include <string>

namespace lpsnmr::text {

/// Return the whole contents of a file.
///
/// @param kind what the file is called in messages
/// @throws Error when it cannot be opened or read, or is larger than 1 GB
std::string read_text(const std::string &path, const char *kind = "potential file");

} // namespace lpsnmr::text

#include "core/text/read_text.h"

#include "core/common/error.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

namespace lpsnmr::text {

std::string read_text(const std::string &path, const char *kind) {
  constexpr std::size_t most = 1000000000;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw Error(path + ": cannot open " + kind + ": " + std::strerror(errno));
  std::string text;
  std::vector<char> chunk(std::size_t{1} << 16);
  do {
    stream.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    text.append(chunk.data(), static_cast<std::size_t>(stream.gcount()));
    if (text.size() > most) throw Error(path + ": larger than 1 GB, not a " + kind);
  } while (stream);
  // read() turns what the buffer throws, as for a folder, into this bit
  if (stream.bad()) throw Error(path + ": cannot read " + kind + ": " + std::strerror(errno));
  return text;
}

} // namespace lpsnmr::text

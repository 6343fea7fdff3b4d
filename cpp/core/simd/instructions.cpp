#include "core/simd/instructions.h"

#include "core/common/error.h"
#include "core/simd/target.h"

#include <algorithm>
#include <cstdlib>

namespace lpsnmr::simd {

std::vector<Instructions> available_instructions() {
  std::vector<Instructions> out;
#if defined(LPSNMR_X86_VERSIONS)
  if (LPSNMR_SUPPORTS("avx512f") && LPSNMR_SUPPORTS("avx512vl") && LPSNMR_SUPPORTS("avx512dq") &&
      LPSNMR_SUPPORTS("avx512bw") && LPSNMR_SUPPORTS("fma"))
    out.push_back(Instructions::avx512);
  if (LPSNMR_SUPPORTS("avx2") && LPSNMR_SUPPORTS("fma")) out.push_back(Instructions::avx2);
#endif
  out.push_back(Instructions::portable);
  return out;
}

std::string name(Instructions instructions) {
  if (instructions == Instructions::avx512) return "avx512";
  return instructions == Instructions::avx2 ? "avx2" : "portable";
}

Instructions chosen_instructions() {
  const std::vector<Instructions> here = available_instructions();
  const char *const wanted = std::getenv("LPSNMR_SIMD");
  if (!wanted || !*wanted) return here.front();
  const auto found = std::find_if(here.begin(), here.end(),
                                  [&](Instructions version) { return name(version) == wanted; });
  if (found != here.end()) return *found;
  std::string names;
  for (Instructions version : here) names += (names.empty() ? "" : ", ") + name(version);
  throw Error("LPSNMR_SIMD: expected one of those that this processor has (" + names + "), got '" +
              wanted + "'");
}

} // namespace lpsnmr::simd

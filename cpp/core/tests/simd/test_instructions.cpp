// LPSNMR_SIMD chooses the version, and names that cannot be had are refused in one line.
#include "core/common/error.h"
#include "core/simd/instructions.h"
#include "core/tests/support/check.h"

#include <cstdlib>
#include <string>

using namespace lpsnmr;

namespace {

std::string refusal(const char *value) {
  setenv("LPSNMR_SIMD", value, 1);
  try {
    simd::chosen_instructions();
  } catch (const Error &error) {
    return error.what();
  }
  return "";
}

} // namespace

int main() {
  const std::vector<simd::Instructions> here = simd::available_instructions();
  CHECK(!here.empty() && here.back() == simd::Instructions::portable);
  unsetenv("LPSNMR_SIMD");
  CHECK(simd::chosen_instructions() == here.front());
  CHECK(refusal("").empty() && simd::chosen_instructions() == here.front());
  for (const simd::Instructions version : here) {
    CHECK(refusal(simd::name(version).c_str()).empty());
    CHECK(simd::chosen_instructions() == version);
  }
  for (const char *const wrong : {"sse", "AVX2", "avx512 "}) {
    const std::string message = refusal(wrong);
    CHECK(message.find("LPSNMR_SIMD: expected one of") == 0);
    CHECK(message.find("portable") != std::string::npos);
    CHECK(message.find(std::string("got '") + wrong + "'") != std::string::npos);
    CHECK(message.find('\n') == std::string::npos);
  }
  return failures != 0;
}

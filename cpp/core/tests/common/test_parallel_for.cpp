// Loops shared out among threads: every index once, and exceptions of any thread at the caller.
#include "core/common/error.h"
#include "core/common/parallel_for.h"
#include "core/tests/support/check.h"

#include <atomic>
#include <string>
#include <vector>

using namespace lpsnmr;

namespace {

void every_index_is_visited_once() {
  for (const int threads : {-1, 0, 1, 2, 3, 8})
    for (const std::size_t n : {0u, 1u, 2u, 7u, 100u}) {
      std::vector<int> visits(n, 0);
      parallel_for(threads, n, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) ++visits[i];
      });
      for (const int count : visits) CHECK(count == 1);
    }
}

/// What a worker throws comes out here, and all other parts are done before.
void exceptions_reach_the_caller(std::size_t failing) {
  constexpr std::size_t n = 8;
  std::vector<int> done(n, 0);
  std::string message;
  try {
    parallel_for(4, n, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        if (i == failing) throw Error("index " + std::to_string(i));
        done[i] = 1;
      }
    });
  } catch (const Error &error) {
    message = error.what();
  }
  CHECK(message == "index " + std::to_string(failing));
  for (std::size_t i = 0; i < n; ++i)
    if (i / 2 != failing / 2) CHECK(done[i] == 1);
}

void the_first_part_that_failed_is_told() {
  std::string message;
  std::atomic<int> failures_seen{0};
  try {
    parallel_for(4, 4, [&](std::size_t begin, std::size_t) {
      ++failures_seen;
      throw Error("part " + std::to_string(begin));
    });
  } catch (const Error &error) {
    message = error.what();
  }
  CHECK(message == "part 0");
  CHECK(failures_seen == 4);
}

} // namespace

int main() {
  every_index_is_visited_once();
  for (const std::size_t failing : {0u, 1u, 3u, 6u}) exceptions_reach_the_caller(failing);
  the_first_part_that_failed_is_told();
  return failures != 0;
}

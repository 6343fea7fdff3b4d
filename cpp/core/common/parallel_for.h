// A loop shared out among threads, whose exceptions reach the caller.
#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <system_error>
#include <thread>
#include <vector>

namespace lpsnmr {

/// Run f(begin, end) over parts of 0 … n on several threads, the first part on the calling one.
///
/// All parts are run to their end or to their exception. Where the system gives fewer threads than
/// are asked for, the calling one does the rest.
///
/// @param threads  at least 1; there are never more than n
/// @throws         what the first part that failed has thrown, once all threads have ended
template <typename F> void parallel_for(int threads, std::size_t n, const F &f) {
  const std::size_t parts =
      std::min<std::size_t>(std::max(threads, 1), std::max<std::size_t>(n, 1));
  std::vector<std::exception_ptr> failures(parts);
  const auto run = [&](std::size_t part) noexcept {
    try {
      f(n * part / parts, n * (part + 1) / parts);
    } catch (...) {
      failures[part] = std::current_exception();
    }
  };
  std::vector<std::thread> workers;
  workers.reserve(parts - 1); // so that nothing can throw while threads run
  std::size_t started = 1;
  try {
    for (; started < parts; ++started) workers.emplace_back(run, started);
  } catch (const std::system_error &) { // no more threads to be had
  }
  run(0);
  for (std::size_t part = started; part < parts; ++part) run(part);
  for (std::thread &worker : workers) worker.join();
  for (const std::exception_ptr &failure : failures)
    if (failure) std::rethrow_exception(failure);
}

} // namespace lpsnmr

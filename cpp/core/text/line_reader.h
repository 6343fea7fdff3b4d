// Lines of a text file, their words and numbers; errors carry the place, `name:line`.
#pragma once

#include "core/common/error.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>
#include <string>
#include <vector>

namespace lpsnmr::text {

/// Words between blanks.
inline std::vector<std::string> split_words(const std::string &line) {
  std::istringstream stream(line);
  std::vector<std::string> out;
  for (std::string word; stream >> word;) out.push_back(word);
  return out;
}

/// Walks over the lines of a text, which must outlive it, and reports errors with the place.
class LineReader {
public:
  LineReader(const std::string &text, const std::string &name) : text_(text), name_(name) {}

  [[noreturn]] void fail(const std::string &message) const {
    throw Error(place() + ": " + message);
  }

  bool next(std::string &line) {
    if (position_ >= text_.size()) return false;
    const std::size_t end = std::min(text_.find('\n', position_), text_.size());
    line.assign(text_, position_, end - position_);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    position_ = end + 1;
    ++number_;
    return true;
  }

  /// The words of the next line; `what` names them where the file ends.
  std::vector<std::string> words(const char *what) {
    std::string line;
    if (!next(line)) fail(std::string("the file ends where ") + what + " is expected");
    return split_words(line);
  }

  std::vector<std::string> words(const char *what, std::size_t count) {
    std::vector<std::string> out = words(what);
    if (out.size() != count)
      fail(std::string(what) + ": expected " + std::to_string(count) + " words, got " +
           std::to_string(out.size()));
    return out;
  }

  double number(const std::string &word, const char *what) const {
    double value = 0;
    const char *begin = word.c_str(), *end = begin + word.size();
    const auto result = std::from_chars(begin + (*begin == '+'), end, value);
    if (result.ec != std::errc() || result.ptr != end || !std::isfinite(value))
      fail(std::string(what) + ": expected a finite number, got '" + word + "'");
    return value;
  }

  int integer(const std::string &word, const char *what, int least, int most = 100000) const {
    int value = 0;
    const char *end = word.c_str() + word.size();
    const auto result = std::from_chars(word.c_str(), end, value);
    if (result.ec != std::errc() || result.ptr != end || value < least || value > most)
      fail(std::string(what) + ": expected an integer of at least " + std::to_string(least) +
           " and at most " + std::to_string(most) + ", got '" + word + "'");
    return value;
  }

  std::vector<double> numbers(const char *what, int count) {
    std::vector<double> out;
    for (const std::string &word : words(what, static_cast<std::size_t>(count)))
      out.push_back(number(word, what));
    return out;
  }

  std::string place() const { return name_ + ":" + std::to_string(number_); }

private:
  const std::string &text_;
  const std::string &name_;
  std::size_t position_ = 0;
  int number_ = 0;
};

} // namespace lpsnmr::text

#include "core/text/json.h"

#include "core/common/error.h"

#include <charconv>
#include <cstring>

namespace lpsnmr::text {
namespace {

constexpr int max_depth = 64;

/// Write a code point as UTF-8.
void append_utf8(unsigned code, std::string &out) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3f));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// How many bytes from here on are one character of UTF-8; 0 where none begins.
std::size_t utf8_length(const unsigned char *p, const unsigned char *end) {
  if (*p < 0x80) return 1;
  const std::size_t length = *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : 2;
  if (*p < 0xc2 || *p > 0xf4 || std::size_t(end - p) < length) return 0;
  for (std::size_t k = 1; k < length; ++k)
    if ((p[k] & 0xc0) != 0x80) return 0;
  // too long a form, half of a surrogate pair, beyond U+10FFFF
  if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) || (*p == 0xf0 && p[1] < 0x90) ||
      (*p == 0xf4 && p[1] > 0x8f))
    return 0;
  return length;
}

/// Refuse bytes that are no text.
void check_utf8(const std::string &text, const std::string &name) {
  int line = 1;
  const auto *p = reinterpret_cast<const unsigned char *>(text.data());
  const unsigned char *const end = p + text.size();
  while (p < end) {
    const std::size_t length = utf8_length(p, end);
    if (length == 0)
      throw Error(name + ":" + std::to_string(line) +
                  ": not a text file: expected UTF-8, got the byte " + std::to_string(*p));
    line += *p == '\n';
    p += length;
  }
}

class Reader {
public:
  Reader(const std::string &text, const std::string &name)
      : begin_(text.data()), here_(begin_), end_(begin_ + text.size()), name_(name) {}

  JsonValue whole() {
    JsonValue value = read(0);
    skip_blank();
    if (here_ != end_) fail("text after the end of the JSON value");
    return value;
  }

private:
  [[noreturn]] void fail(const std::string &message) const {
    throw Error(name_ + ":" + std::to_string(line_) + ": not JSON: " + message);
  }

  [[noreturn]] void fail_expected(const char *what) const {
    if (here_ == end_)
      fail(std::string("expected ") + what + ", but the text ends; is the file cut short?");
    const unsigned char c = static_cast<unsigned char>(*here_);
    const std::string got =
        c > 0x20 && c < 0x7f ? std::string("'") + *here_ + "'" : "the byte " + std::to_string(c);
    fail(std::string("expected ") + what + ", got " + got);
  }

  [[noreturn]] void fail_no_value() {
    const char *const at = here_;
    const bool no_number = take_word("NaN") || take_word("Infinity");
    here_ = at;
    if (no_number)
      fail(std::string("expected a value, got '") + *at + "': NaN and Infinity are not finite");
    fail_expected("a value");
  }

  void skip_blank() {
    for (; here_ < end_ && std::strchr(" \t\r\n", *here_) && *here_; ++here_)
      if (*here_ == '\n') ++line_;
  }

  bool take(char c) {
    if (here_ == end_ || *here_ != c) return false;
    ++here_;
    return true;
  }

  bool take_word(const char *word) {
    const std::size_t length = std::strlen(word);
    if (static_cast<std::size_t>(end_ - here_) < length || std::memcmp(here_, word, length) != 0)
      return false;
    here_ += length;
    return true;
  }

  JsonValue read(int depth) {
    skip_blank();
    JsonValue value;
    value.line = line_;
    value.begin = std::size_t(here_ - begin_);
    if (depth > max_depth) fail("more than " + std::to_string(max_depth) + " levels");
    if (take('{')) {
      value.kind = JsonValue::Kind::object;
      read_entries(value, depth);
    } else if (take('[')) {
      value.kind = JsonValue::Kind::array;
      read_items(value, depth);
    } else if (take('"')) {
      value.kind = JsonValue::Kind::string;
      value.string = read_string();
    } else if (take_word("true")) {
      value.kind = JsonValue::Kind::boolean;
      value.boolean = true;
    } else if (take_word("false")) {
      value.kind = JsonValue::Kind::boolean;
    } else if (!take_word("null")) {
      value.kind = JsonValue::Kind::number;
      value.number = read_number();
    }
    value.end = std::size_t(here_ - begin_);
    return value;
  }

  void read_entries(JsonValue &value, int depth) {
    skip_blank();
    if (take('}')) return;
    do {
      skip_blank();
      if (!take('"')) fail_expected("a name in double quotes");
      std::string name = read_string();
      if (value.find(name)) fail("the name \"" + name + "\" is given twice");
      skip_blank();
      if (!take(':')) fail_expected("':'");
      JsonValue entry = read(depth + 1);
      value.entries.emplace_back(std::move(name), std::move(entry));
      skip_blank();
    } while (take(','));
    if (!take('}')) fail_expected("',' or '}'");
  }

  void read_items(JsonValue &value, int depth) {
    skip_blank();
    if (take(']')) return;
    do {
      value.items.push_back(read(depth + 1));
      skip_blank();
    } while (take(','));
    if (!take(']')) fail_expected("',' or ']'");
  }

  std::string read_string() {
    std::string out;
    while (true) {
      if (here_ == end_) fail_expected("the end of a string");
      const unsigned char c = static_cast<unsigned char>(*here_);
      if (c < 0x20) fail("a control character in a string");
      ++here_;
      if (c == '"') return out;
      if (c == '\\')
        read_escape(out);
      else
        out += static_cast<char>(c);
    }
  }

  void read_escape(std::string &out) {
    static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    if (here_ == end_) fail_expected("the rest of an escape");
    if (take('u')) {
      unsigned code = read_hex();
      if (code >= 0xd800 && code < 0xdc00) {
        const unsigned low = take_word("\\u") ? read_hex() : 0;
        if (low < 0xdc00 || low > 0xdfff) fail("half of a surrogate pair");
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      } else if (code >= 0xdc00 && code < 0xe000) {
        fail("half of a surrogate pair");
      }
      append_utf8(code, out);
      return;
    }
    const char *found = *here_ ? std::strchr(letters, *here_) : nullptr;
    if (!found) fail_expected("an escape");
    out += meant[found - letters];
    ++here_;
  }

  unsigned read_hex() {
    if (end_ - here_ < 4) {
      here_ = end_;
      fail_expected("four hexadecimal digits");
    }
    unsigned code = 0;
    const auto [stop, problem] = std::from_chars(here_, here_ + 4, code, 16);
    if (problem != std::errc() || stop != here_ + 4) fail_expected("four hexadecimal digits");
    here_ = stop;
    return code;
  }

  void skip_digits() {
    if (here_ == end_ || !is_digit(*here_)) fail_expected("a digit");
    while (here_ < end_ && is_digit(*here_)) ++here_;
  }

  double read_number() {
    const char *const begin = here_;
    if (here_ == end_ || (*here_ != '-' && !is_digit(*here_))) fail_no_value();
    take('-');
    if (!take('0')) skip_digits();
    if (take('.')) skip_digits();
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      skip_digits();
    }
    double value = 0.0;
    if (std::from_chars(begin, here_, value).ec != std::errc())
      fail("the number " + std::string(begin, here_) + " is outside the range of a 64-bit float");
    return value;
  }

  const char *begin_;
  const char *here_;
  const char *end_;
  const std::string &name_;
  int line_ = 1;
};

} // namespace

const JsonValue *JsonValue::find(const std::string &name) const {
  for (const auto &entry : entries)
    if (entry.first == name) return &entry.second;
  return nullptr;
}

const char *json_kind_name(JsonValue::Kind kind) {
  switch (kind) {
  case JsonValue::Kind::boolean:
    return "true or false";
  case JsonValue::Kind::number:
    return "a number";
  case JsonValue::Kind::string:
    return "a string";
  case JsonValue::Kind::array:
    return "a list";
  case JsonValue::Kind::object:
    return "an object";
  default:
    return "null";
  }
}

JsonValue parse_json(const std::string &text, const std::string &name) {
  check_utf8(text, name);
  return Reader(text, name).whole();
}

} // namespace lpsnmr::text

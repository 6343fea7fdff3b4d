// A strict reader of JSON texts (RFC 8259), for our own small model files.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace lpsnmr::text {

/// One value of a JSON text; owns what is below it.
struct JsonValue {
  enum class Kind { null, boolean, number, string, array, object };
  Kind kind = Kind::null;
  bool boolean = false;
  double number = 0.0;
  std::string string; ///< UTF-8, escapes resolved
  std::vector<JsonValue> items;
  std::vector<std::pair<std::string, JsonValue>> entries; ///< in the order of the text
  int line = 0;                                           ///< where the value starts, from 1
  std::size_t begin = 0, end = 0;                         ///< the bytes of the text it takes

  /// The entry of an object with this name, or nullptr; also nullptr for what is no object.
  const JsonValue *find(const std::string &name) const;
};

/// What a kind is called in messages, such as "a list".
const char *json_kind_name(JsonValue::Kind kind);

/// Parse a whole text.
///
/// Stricter than common readers: valid UTF-8, no NaN or Infinity, no name twice in an object, at
/// most 64 levels.
///
/// @param name used in messages, `name:line: what, expected, got`
/// @throws Error for text that is not one complete JSON value
JsonValue parse_json(const std::string &text, const std::string &name);

} // namespace lpsnmr::text

// Typed entries of a parsed JSON text, with errors that name the place.
#pragma once

#include "core/common/error.h"
#include "core/text/json.h"

#include <cmath>
#include <string>
#include <vector>

namespace lpsnmr::text {

/// Picks entries out of one file; every error reads `name:line: what, expected, got`.
class JsonPicker {
public:
  /// @param name of the file; @param kind what it is called in messages, such as "EFG model"
  JsonPicker(std::string name, std::string kind) : name_(std::move(name)), kind_(std::move(kind)) {}

  [[noreturn]] void fail(const JsonValue &value, const std::string &message) const {
    throw Error(name_ + ":" + std::to_string(value.line) + ": " + part_ + message);
  }

  const JsonValue &of_kind(const JsonValue &value, JsonValue::Kind kind,
                           const std::string &what) const {
    if (value.kind != kind)
      fail(value,
           what + ": expected " + json_kind_name(kind) + ", got " + json_kind_name(value.kind));
    return value;
  }

  const JsonValue &entry(const JsonValue &object, const std::string &name,
                         JsonValue::Kind kind) const {
    const JsonValue *found = object.find(name);
    if (!found) fail(object, kind_ + " without \"" + name + "\"");
    return of_kind(*found, kind, name);
  }

  double number(const JsonValue &value, const std::string &what) const {
    return of_kind(value, JsonValue::Kind::number, what).number;
  }

  int integer(const JsonValue &value, const std::string &what) const {
    const double given = number(value, what);
    if (given != std::floor(given) || std::abs(given) > 1e6)
      fail(value, what + ": expected an integer");
    return static_cast<int>(given);
  }

  double number_entry(const JsonValue &object, const std::string &name) const {
    return entry(object, name, JsonValue::Kind::number).number;
  }

  int integer_entry(const JsonValue &object, const std::string &name) const {
    return integer(entry(object, name, JsonValue::Kind::number), name);
  }

  const std::string &string_entry(const JsonValue &object, const std::string &name) const {
    return entry(object, name, JsonValue::Kind::string).string;
  }

  /// Refuse another format or version than the ones given; return the version of the file.
  int check_format(const JsonValue &root, const std::string &format, int newest,
                   int oldest = 0) const {
    const JsonValue *found = root.find("format");
    if (!found || found->string != format)
      fail(root, "not an " + kind_ + ": expected \"format\": \"" + format + "\"");
    const int given = integer_entry(root, "version");
    if (given != newest && (oldest == 0 || given < oldest || given > newest))
      fail(root, kind_ + " version " + std::to_string(given) + "; this lpsnmr reads " +
                     (oldest ? std::to_string(oldest) + " to " : std::string()) +
                     std::to_string(newest));
    return given;
  }

protected:
  std::string part_; // of the file, where it has several alike; stands before a message

private:
  std::string name_, kind_;
};

} // namespace lpsnmr::text

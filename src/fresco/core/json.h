#pragma once
// JSON from strangers: bounded depth, no duplicate keys, errors that name the file.
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>

namespace fresco {

using Json = nlohmann::json;

struct JsonLimits {
  int depth = 64;
};

/// Python's bare -Infinity, Infinity and NaN come out as strings of that text.
/// Errors: FormatError with `where`: broken text, nesting beyond the limit, a key that occurs twice in one object.
Json parse_json(std::string_view text, std::string_view where, const JsonLimits& limits = {});

/// Reads and parses a file of at most 64 MiB. Errors: InputError when it cannot be opened, FormatError as above.
Json read_json(const std::filesystem::path& file, const JsonLimits& limits = {});

/// object[key] as T, or `fallback` when absent or null. Errors: FormatError naming `where`, the key, the type that came.
template <typename T>
T json_value(const Json& object, const char* key, T fallback, std::string_view where);

[[noreturn]] void throw_json_type(const char* key, const Json& value, std::string_view where, std::string_view wanted);

namespace detail {
template <typename T>
constexpr std::string_view json_type_name() {
  if constexpr (std::is_same_v<T, bool>)
    return "true or false";
  else if constexpr (std::is_integral_v<T>)
    return "an integer";
  else if constexpr (std::is_floating_point_v<T>)
    return "a number";
  else if constexpr (std::is_same_v<T, std::string>)
    return "a string";
  else
    return "a list";
}
template <typename T>
bool json_fits(const Json& value) {
  if constexpr (std::is_same_v<T, bool>)
    return value.is_boolean();
  else if constexpr (std::is_integral_v<T>)
    return value.is_number_integer();
  else if constexpr (std::is_floating_point_v<T>)
    return value.is_number();
  else if constexpr (std::is_same_v<T, std::string>)
    return value.is_string();
  else {
    if (!value.is_array()) return false;
    for (const auto& element : value)
      if (!json_fits<typename T::value_type>(element)) return false;
    return true;
  }
}
}  // namespace detail

template <typename T>
T json_value(const Json& object, const char* key, T fallback, std::string_view where) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return fallback;
  if (!detail::json_fits<T>(*found)) throw_json_type(key, *found, where, detail::json_type_name<T>());
  return found->template get<T>();
}

}  // namespace fresco

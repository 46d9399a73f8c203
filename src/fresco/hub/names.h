#pragma once
// Checks of every name that becomes part of a path or an address.
#include <string_view>

namespace fresco::hub {

/// Errors: InputError unless `id` is owner/name of letters, digits, "-", "_" and "." without "..", "--".
void check_id(std::string_view id);

/// Errors: InputError unless `revision` may stand under refs/: letters, digits, "-_.+/", no empty, "."
/// or ".." between slashes.
void check_revision(std::string_view id, std::string_view revision);

/// A path below a folder: relative, no empty, "." or ".." step, no backslash, no control character.
bool stays_inside(std::string_view path);

/// 40 lower-case hexadecimal digits.
bool is_commit(std::string_view text);

/// What a blob may be called: letters, digits and "-_." but no dot in front, at most 200 characters.
bool is_blob_name(std::string_view text);

bool is_hex(std::string_view text, size_t digits);

}  // namespace fresco::hub

#pragma once
#include <string>
#include <vector>

namespace fresco::data {

/// "a/{00000..00041}.tar" and "{x,y}.tar" written out as a shell does, several of them too; the width of the first number is kept.
/// Errors: InputError for a brace that is not closed, a range that runs backwards, or more than a million names.
std::vector<std::string> expand_braces(const std::string& pattern);

bool is_url(const std::string& name);

/// expand_braces, then "*", "?" and "[a-z]" against the files there are, sorted; URLs as they are.
/// Errors: InputError when nothing matches or a named file is not there.
std::vector<std::string> shard_names(const std::string& pattern);

}  // namespace fresco::data

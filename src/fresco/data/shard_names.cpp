#include "fresco/data/shard_names.h"

#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <string_view>

#include "fresco/core/error.h"

namespace fresco::data {
namespace {

constexpr size_t kMostNames = 1'000'000;

std::optional<int64_t> number(std::string_view digits) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || digits.empty() || value < 0) return {};
  return value;
}

[[noreturn]] void throw_wrong(const std::string& pattern, std::string_view problem) {
  throw InputError(printable(pattern), problem);
}

/// What stands between braces: "00000..00041" or "a,b,c".
std::vector<std::string> alternatives(const std::string& pattern, const std::string& inner) {
  const size_t dots = inner.find("..");
  if (dots != inner.npos) {
    const auto first = number(std::string_view(inner).substr(0, dots)),
               last = number(std::string_view(inner).substr(dots + 2));
    if (!first || !last)
      throw_wrong(pattern, expected_got("a range such as {00000..00041}", fmt::format("{{{}}}", printable(inner))));
    if (*last < *first || *last - *first >= static_cast<int64_t>(kMostNames))
      throw_wrong(pattern, expected_got(fmt::format("a range upwards of at most {} names", kMostNames),
                                        fmt::format("{{{}}}", printable(inner))));
    std::vector<std::string> names;
    for (int64_t k = *first; k <= *last; ++k) names.push_back(fmt::format("{:0{}}", k, dots));
    return names;
  }
  std::vector<std::string> words;
  size_t start = 0;
  for (size_t comma = 0; comma != inner.npos; start = comma + 1) {
    comma = inner.find(',', start);
    words.push_back(inner.substr(start, comma == inner.npos ? comma : comma - start));
  }
  return words;
}

bool has_wildcard(const std::string& name) { return name.find_first_of("*?[") != name.npos; }

std::vector<std::string> matching(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> names;
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) names.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  if (names.empty()) throw_wrong(pattern, "no file matches");
  std::ranges::sort(names);
  return names;
}

}  // namespace

std::vector<std::string> expand_braces(const std::string& pattern) {
  const size_t open = pattern.find('{');
  if (open == pattern.npos) return {pattern};
  const size_t close = pattern.find('}', open);
  if (close == pattern.npos) throw_wrong(pattern, "expected } after {, got none");
  const auto rests = expand_braces(pattern.substr(close + 1));
  std::vector<std::string> names;
  for (const std::string& word : alternatives(pattern, pattern.substr(open + 1, close - open - 1))) {
    for (const std::string& rest : rests) names.push_back(fmt::format("{}{}{}", pattern.substr(0, open), word, rest));
    if (names.size() > kMostNames) throw_wrong(pattern, fmt::format("more than {} names", kMostNames));
  }
  return names;
}

bool is_url(const std::string& name) { return name.starts_with("http://") || name.starts_with("https://"); }

std::vector<std::string> shard_names(const std::string& pattern) {
  std::vector<std::string> names;
  for (const std::string& name : expand_braces(pattern)) {
    if (is_url(name)) {
      names.push_back(name);
    } else if (has_wildcard(name)) {
      for (std::string& found : matching(name)) names.push_back(std::move(found));
    } else {
      std::error_code ignored;
      if (!std::filesystem::exists(name, ignored)) throw_wrong(name, "no such file");
      names.push_back(name);
    }
  }
  return names;
}

}  // namespace fresco::data

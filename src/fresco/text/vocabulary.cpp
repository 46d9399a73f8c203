#include "fresco/text/vocabulary.h"

#include <fmt/format.h>

#include "fresco/core/error.h"

namespace fresco::text {
namespace {

// Published text encoders stay under 300,000 rows; the bound keeps a stray id from asking for
// gigabytes.
constexpr int64_t kIdLimit = int64_t{1} << 20;

uint64_t pair_key(int32_t left, int32_t right) {
  return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
}

}  // namespace

void Vocabulary::add_word(std::string word, int64_t id, std::string_view where) {
  if (id < 0 || id >= kIdLimit)
    throw FormatError(where,
                      fmt::format("id of \"{}\": expected 0 to {}, got {}", printable(word, 40), kIdLimit - 1, id));
  const auto row = static_cast<size_t>(id);
  if (row >= words_.size()) words_.resize(row + 1);
  if (words_[row])
    throw FormatError(where, fmt::format("id {} stands for both \"{}\" and \"{}\"", id, printable(*words_[row], 40),
                                         printable(word, 40)));
  if (!ids_.emplace(word, static_cast<int32_t>(id)).second)
    throw FormatError(where, fmt::format("word \"{}\" occurs twice", printable(word, 40)));
  words_[row] = std::move(word);
}

int32_t Vocabulary::known(std::string_view part, std::string_view left, std::string_view right,
                          std::string_view where) const {
  if (const auto found = id(part)) return *found;
  throw FormatError(where, fmt::format("merge \"{} {}\": the vocabulary has no word \"{}\"", printable(left, 40),
                                       printable(right, 40), printable(part, 80)));
}

void Vocabulary::add_merge(std::string_view left, std::string_view right, std::string_view where) {
  const int32_t left_id = known(left, left, right, where);
  const int32_t right_id = known(right, left, right, where);
  const int32_t whole_id = known(std::string(left).append(right), left, right, where);
  merges_.emplace(pair_key(left_id, right_id), Merge{next_rank_++, whole_id});
}

std::optional<int32_t> Vocabulary::id(std::string_view word) const {
  const auto found = ids_.find(word);
  return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

const std::string* Vocabulary::word(int64_t id) const {
  if (id < 0 || static_cast<size_t>(id) >= words_.size()) return nullptr;
  const auto& word = words_[static_cast<size_t>(id)];
  return word ? &*word : nullptr;
}

const Vocabulary::Merge* Vocabulary::merge(int32_t left, int32_t right) const {
  const auto found = merges_.find(pair_key(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

}  // namespace fresco::text

#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fresco::text {

/// Words with their ids, and the byte-pair merges between them, as vocabulary files spell them.
class Vocabulary {
 public:
  struct Merge {
    int32_t rank;
    int32_t id;  // of the word that the pair becomes
  };

  /// Errors: FormatError naming `where`: an id outside 0..2^20-1, one that another word has, a word
  /// that comes twice.
  void add_word(std::string word, int64_t id, std::string_view where);
  /// The next merge in rank order; a pair that is known already keeps its rank.
  /// Errors: FormatError naming `where`: a half or the whole is no word.
  void add_merge(std::string_view left, std::string_view right, std::string_view where);

  std::optional<int32_t> id(std::string_view word) const;
  /// nullptr for an id that no word has.
  const std::string* word(int64_t id) const;
  const Merge* merge(int32_t left, int32_t right) const;
  /// The largest id, plus one.
  size_t size() const { return words_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  int32_t known(std::string_view part, std::string_view left, std::string_view right, std::string_view where) const;

  std::unordered_map<std::string, int32_t, Hash, std::equal_to<>> ids_;
  std::vector<std::optional<std::string>> words_;  // by id
  std::unordered_map<uint64_t, Merge> merges_;     // by the ids of both halves
  int32_t next_rank_ = 0;
};

}  // namespace fresco::text

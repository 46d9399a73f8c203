#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "fresco/text/vocabulary.h"

namespace fresco::text {

/// Byte-pair encoding of single words (Sennrich et al. 2016) over the bytes of UTF-8.
class BytePairs {
 public:
  /// `unknown` stands for bytes that the vocabulary does not spell; without it they are left out.
  BytePairs(const Vocabulary& vocabulary, std::optional<int32_t> unknown);

  /// Appends the word's ids. n bytes take O(n log n) time.
  void encode(std::string_view word, const Vocabulary& vocabulary, std::vector<int64_t>& ids) const;

 private:
  std::array<int32_t, 256> inner_;  // ids of bytes inside a word, -1 where unknown and left out
  std::array<int32_t, 256> last_;   // ids of bytes at a word's end
};

}  // namespace fresco::text

#include "fresco/text/byte_pairs.h"

#include <queue>
#include <string>

#include "fresco/text/byte_alphabet.h"

namespace fresco::text {
namespace {

constexpr int32_t kNone = -1;

// A word while it is merged: symbols in a doubly linked list over one array.
struct Symbol {
  int32_t id;
  int32_t previous;
  int32_t next;
  bool gone = false;
};

struct Candidate {
  int32_t rank;
  int32_t at;  // index of the left symbol
  int32_t id;  // what the pair becomes

  bool operator>(const Candidate& other) const { return rank != other.rank ? rank > other.rank : at > other.at; }
};

class Merger {
 public:
  Merger(std::vector<Symbol> symbols, const Vocabulary& vocabulary)
      : symbols_(std::move(symbols)), vocabulary_(vocabulary) {
    for (int32_t at = 0; at + 1 < static_cast<int32_t>(symbols_.size()); ++at) offer(at);
  }

  // The lowest rank first, the leftmost among equals.
  void run() {
    while (!candidates_.empty()) {
      const Candidate best = candidates_.top();
      candidates_.pop();
      if (still_there(best)) apply(best);
    }
  }

  const std::vector<Symbol>& symbols() const { return symbols_; }

 private:
  Symbol& symbol(int32_t at) { return symbols_[static_cast<size_t>(at)]; }

  const Vocabulary::Merge* merge_at(int32_t at) {
    const Symbol& left = symbol(at);
    if (left.gone || left.next == kNone) return nullptr;
    return vocabulary_.merge(left.id, symbol(left.next).id);
  }

  void offer(int32_t at) {
    if (at == kNone) return;
    if (const auto* merge = merge_at(at)) candidates_.push({merge->rank, at, merge->id});
  }

  bool still_there(const Candidate& candidate) {
    const auto* merge = merge_at(candidate.at);
    return merge && merge->id == candidate.id;
  }

  void apply(const Candidate& best) {
    Symbol& left = symbol(best.at);
    Symbol& right = symbol(left.next);
    left.id = best.id;
    left.next = right.next;
    right.gone = true;
    if (left.next != kNone) symbol(left.next).previous = best.at;
    offer(left.previous);
    offer(best.at);
  }

  std::vector<Symbol> symbols_;
  const Vocabulary& vocabulary_;
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates_;
};

}  // namespace

BytePairs::BytePairs(const Vocabulary& vocabulary, std::optional<int32_t> unknown) {
  const int32_t otherwise = unknown.value_or(kNone);
  for (size_t byte = 0; byte < 256; ++byte) {
    const std::string& character = spelled(static_cast<uint8_t>(byte));
    inner_[byte] = vocabulary.id(character).value_or(otherwise);
    last_[byte] = vocabulary.id(character + std::string(kWordEnd)).value_or(otherwise);
  }
}

void BytePairs::encode(std::string_view word, const Vocabulary& vocabulary, std::vector<int64_t>& ids) const {
  std::vector<Symbol> symbols;
  symbols.reserve(word.size());
  for (size_t i = 0; i < word.size(); ++i) {
    const auto byte = static_cast<uint8_t>(word[i]);
    const int32_t id = i + 1 < word.size() ? inner_[byte] : last_[byte];
    const auto at = static_cast<int32_t>(symbols.size());
    if (id != kNone) symbols.push_back({id, at - 1, at + 1});
  }
  if (symbols.empty()) return;
  symbols.back().next = kNone;
  Merger merger(std::move(symbols), vocabulary);
  merger.run();
  for (const Symbol& symbol : merger.symbols())
    if (!symbol.gone) ids.push_back(symbol.id);
}

}  // namespace fresco::text

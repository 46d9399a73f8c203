#include "fresco/text/byte_alphabet.h"

#include <unicode/utf8.h>

namespace fresco::text {
namespace {

constexpr UChar32 kFirstSubstitute = 256;

bool stands_for_itself(int byte) { return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174; }

struct Alphabet {
  std::array<std::string, 256> characters;
  std::array<uint8_t, 256> by_id;
  std::array<int, 2 * 256> byte_of_code_point;  // -1: spells no byte

  Alphabet() {
    byte_of_code_point.fill(-1);
    UChar32 substitute = kFirstSubstitute;
    size_t id = 0;
    for (const bool printable : {true, false}) {
      for (int byte = 0; byte < 256; ++byte) {
        if (stands_for_itself(byte) != printable) continue;
        by_id[id++] = static_cast<uint8_t>(byte);
        assign(byte, printable ? byte : substitute++);
      }
    }
  }

  void assign(int byte, UChar32 c) {
    char bytes[U8_MAX_LENGTH];
    int32_t length = 0;
    U8_APPEND_UNSAFE(bytes, length, c);
    characters[static_cast<size_t>(byte)].assign(bytes, static_cast<size_t>(length));
    byte_of_code_point[static_cast<size_t>(c)] = byte;
  }
};

const Alphabet& alphabet() {
  static const Alphabet instance;
  return instance;
}

}  // namespace

const std::array<uint8_t, 256>& bytes_by_id() { return alphabet().by_id; }

const std::string& spelled(uint8_t byte) { return alphabet().characters[byte]; }

std::string bytes_of(std::string_view word) {
  std::string out;
  const char* bytes = word.data();
  for (size_t at = 0; at < word.size();) {
    UChar32 c;
    U8_NEXT_OR_FFFD(bytes, at, word.size(), c);
    const auto& table = alphabet().byte_of_code_point;
    const int byte = static_cast<size_t>(c) < table.size() ? table[static_cast<size_t>(c)] : -1;
    if (byte < 0) return std::string(word);
    out += static_cast<char>(byte);
  }
  return out;
}

}  // namespace fresco::text

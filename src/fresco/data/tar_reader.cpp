// Sources: POSIX.1-2017 pax (ustar and extended headers); the GNU tar manual, "Basic Tar Format" (long names, base-256 numbers).
#include "fresco/data/tar_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "fresco/core/checked.h"
#include "fresco/core/error.h"
#include "fresco/data/read_slice.h"

namespace fresco::data {
namespace {

using namespace std::string_view_literals;

constexpr uint64_t kBlock = 512;
constexpr uint64_t kLargestExtra = 1 << 20;  // of a long name or an extended header
constexpr size_t kChecksumPlace = 148, kChecksumSize = 8;

std::string_view field(std::string_view header, size_t place, size_t size) {
  const std::string_view whole = header.substr(place, size);
  return whole.substr(0, whole.find('\0'));
}

/// Octal digits between blanks, or GNU's big-endian binary with the first bit set.
std::optional<uint64_t> number(std::string_view bytes) {
  if ((static_cast<unsigned char>(bytes.front()) & 0x80) != 0) {
    uint64_t value = static_cast<unsigned char>(bytes.front()) & 0x7f;
    for (const char c : bytes.substr(1)) {
      if (value >> 55 != 0) return {};
      value = value << 8 | static_cast<unsigned char>(c);
    }
    return value;
  }
  std::string_view digits = bytes.substr(0, bytes.find('\0'));
  digits.remove_prefix(std::min(digits.find_first_not_of(' '), digits.size()));
  digits = digits.substr(0, digits.find(' '));
  uint64_t value = 0;
  if (digits.empty()) return 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 8);
  if (error != std::errc() || end != digits.data() + digits.size()) return {};
  return value;
}

/// The sum of all bytes with the checksum's own as blanks; some old programs summed signed bytes.
bool checksum_fits(std::string_view header) {
  const auto told = number(header.substr(kChecksumPlace, kChecksumSize));
  int64_t plain = 0, with_sign = 0;
  for (size_t i = 0; i < header.size(); ++i) {
    const char c = i >= kChecksumPlace && i < kChecksumPlace + kChecksumSize ? ' ' : header[i];
    plain += static_cast<unsigned char>(c);
    with_sign += static_cast<signed char>(c);
  }
  return told && (static_cast<int64_t>(*told) == plain || static_cast<int64_t>(*told) == with_sign);
}

std::string_view compression_of(std::string_view start) {
  if (start.starts_with("\x1f\x8b"sv)) return "gzip";
  if (start.starts_with("BZh"sv)) return "bzip2";
  if (start.starts_with("\xfd"
                        "7zXZ"sv))
    return "xz";
  if (start.starts_with("\x28\xb5\x2f\xfd"sv)) return "zstd";
  return {};
}

class TarLister {
 public:
  explicit TarLister(const std::filesystem::path& file) : where_(file.string()), reader_(file) {}

  std::vector<TarMember> list() {
    if (reader_.size() == 0) throw FormatError(where_, "expected a tar archive, got an empty file");
    for (uint64_t place = 0; place < reader_.size();) {
      const std::string header = reader_.read(place, kBlock);
      if (place == 0) check_start(header);
      if (header.size() < kBlock) throw_early("a header");
      if (std::ranges::all_of(header, [](char c) { return c == '\0'; })) break;
      if (!checksum_fits(header)) throw FormatError(where_, fmt::format("damaged: no tar header at byte {}", place));
      place = take(header, place + kBlock);
    }
    return std::move(members_);
  }

 private:
  void check_start(std::string_view start) const {
    const std::string_view compression = compression_of(start);
    if (!compression.empty())
      throw FormatError(
          where_, fmt::format("expected a plain tar archive, got one packed with {}; unpack it first", compression));
    const bool zeros = std::ranges::all_of(start, [](char c) { return c == '\0'; });
    if (start.size() < kBlock || (!zeros && !checksum_fits(start)))
      throw FormatError(where_, expected_got("a tar archive", "something else"));
  }

  [[noreturn]] void throw_early(std::string_view what) const {
    throw FormatError(
        where_, fmt::format("ends early, after {} bytes, inside {}: is the download whole?", reader_.size(), what));
  }

  /// Takes the member whose bytes start at `data`; where the next header is.
  uint64_t take(std::string_view header, uint64_t data) {
    const char kind = header[156];
    const bool has_bytes = kind < '1' || kind > '6';  // links, folders, devices and pipes have none, whatever they say
    auto size = number(header.substr(124, 12));
    const bool special = kind == 'x' || kind == 'g' || kind == 'L' || kind == 'K';
    if (size && !special && pax_size_) size = pax_size_;
    if (!size) throw FormatError(where_, fmt::format("damaged: a member's size before byte {} is no number", data));
    const uint64_t bytes = has_bytes ? *size : 0;
    const auto end = checked_add(data, bytes);
    const std::string name = special ? "an extended header" : name_of(header);
    const auto next = end ? checked_add(*end, (kBlock - *end % kBlock) % kBlock) : end;
    if (!next || *next > reader_.size()) throw_early(printable(name));
    if (special) {
      take_special(kind, data, bytes);
    } else {
      if (kind == '0' || kind == '\0' || kind == '7') members_.push_back({name, data, bytes});
      long_name_.reset();
      pax_size_.reset();
    }
    return *next;
  }

  void take_special(char kind, uint64_t data, uint64_t size) {
    if (kind == 'g' || kind == 'K') return;  // of the whole archive; of a link's target
    if (size > kLargestExtra) throw FormatError(where_, fmt::format("damaged: a name of {} bytes", size));
    const std::string bytes = reader_.read(data, size);
    if (kind == 'L')
      long_name_ = bytes.substr(0, bytes.find('\0'));
    else
      take_records(bytes);
  }

  /// Lines "LENGTH KEY=VALUE\n".
  void take_records(std::string_view records) {
    while (!records.empty()) {
      size_t length = 0;
      const auto [end, error] = std::from_chars(records.data(), records.data() + records.size(), length);
      const auto start = static_cast<size_t>(end - records.data()) + 1;
      if (error != std::errc() || length > records.size() || start >= length) return;
      const std::string_view record = records.substr(start, length - start - 1);
      const size_t equals = record.find('=');
      if (equals == record.npos) return;
      take_record(record.substr(0, equals), record.substr(equals + 1));
      records.remove_prefix(length);
    }
  }

  void take_record(std::string_view key, std::string_view value) {
    if (key == "path") long_name_ = std::string(value);
    if (key != "size") return;
    uint64_t size = 0;
    if (std::from_chars(value.data(), value.data() + value.size(), size).ec == std::errc()) pax_size_ = size;
  }

  std::string name_of(std::string_view header) const {
    std::string name;
    if (long_name_) {
      name = *long_name_;
    } else {
      const std::string_view prefix = header.substr(257, 6) == "ustar\0"sv ? field(header, 345, 155) : ""sv;
      name = prefix.empty() ? std::string(field(header, 0, 100)) : fmt::format("{}/{}", prefix, field(header, 0, 100));
    }
    while (name.starts_with("./")) name.erase(0, 2);
    return name;
  }

  std::string where_;
  SliceReader reader_;
  std::optional<std::string> long_name_;
  std::optional<uint64_t> pax_size_;
  std::vector<TarMember> members_;
};

}  // namespace

std::vector<TarMember> list_tar(const std::filesystem::path& file) { return TarLister(file).list(); }

}  // namespace fresco::data

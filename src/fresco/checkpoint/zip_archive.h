#pragma once
// Zip archives as torch writes them (PKWARE APPNOTE 6.3.10, sections 4.3 to 4.5): the directory, records used where they lie, and
// deflated ones unpacked to a size known beforehand.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fresco::checkpoint {

struct ZipRecord {
  std::string name;
  std::span<const std::byte> packed;  // as it lies in the file
  uint64_t size = 0;                  // unpacked
  uint32_t checksum = 0;              // CRC-32 of the unpacked bytes
  bool deflated = false;
};

class ZipArchive {
 public:
  /// Reads the directory and checks every record's place. Errors: FormatError naming `where`: broken or overlapping records,
  /// encryption, several disks, packing other than deflate, records that claim to unpack to more than deflate can or than is sane.
  ZipArchive(std::span<const std::byte> file, std::string where);

  const std::vector<ZipRecord>& records() const { return records_; }
  const ZipRecord* find(std::string_view name) const;  // nullptr when absent

 private:
  std::string where_;
  std::vector<ZipRecord> records_;
  std::unordered_map<std::string_view, size_t> by_name_;
};

/// The unpacked bytes of a deflated record. Errors: FormatError (broken stream, wrong size or checksum), ResourceError (not enough memory).
std::vector<std::byte> inflate(const ZipRecord& record, std::string_view where);

}  // namespace fresco::checkpoint

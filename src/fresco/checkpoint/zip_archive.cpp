#include "fresco/checkpoint/zip_archive.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <limits>

#include "fresco/checkpoint/byte_reader.h"
#include "fresco/core/error.h"
#include "fresco/core/memory.h"

namespace fresco::checkpoint {
namespace {

constexpr uint32_t kLocalHeader = 0x04034b50, kDirectoryEntry = 0x02014b50, kDirectoryEnd = 0x06054b50;
constexpr uint32_t kDirectoryEnd64 = 0x06064b50, kLocator64 = 0x07064b50;
constexpr uint64_t kDirectoryEndBytes = 22, kLocatorBytes = 20, kLocalHeaderBytes = 30, kLongestComment = 0xffff;
constexpr uint16_t kStored = 0, kDeflated = 8, kEncryptedFlag = 1, kExtra64 = 1;
constexpr uint32_t kIn64 = 0xffffffff;
constexpr uint64_t kMostRecords = 1 << 20;
constexpr uint64_t kDeflateRatio = 1032;  // what deflate can reach at most (zlib's technical notes)
constexpr uint64_t kLargestUnpacked = uint64_t{64}
                                      << 30;  // all deflated records together; no model of these kinds comes near

struct Directory {
  uint64_t records = 0, size = 0, offset = 0;
};

class Scanner {
 public:
  Scanner(std::span<const std::byte> file, const std::string& where) : file_(file), where_(where) {}

  std::vector<ZipRecord> records() {
    const Directory directory = find_directory();
    if (directory.records > kMostRecords)
      fail(fmt::format("expected at most {} records, got {}", kMostRecords, directory.records));
    if (directory.offset > file_.size() || directory.size > file_.size() - directory.offset)
      fail(fmt::format("directory of {} bytes at {} runs past the end ({} bytes)", directory.size, directory.offset,
                       file_.size()));
    ByteReader reader(file_.first(directory.offset + directory.size), where_, "zip directory", directory.offset);
    std::vector<ZipRecord> records;
    for (uint64_t i = 0; i < directory.records; ++i) records.push_back(read_entry(reader));
    check_overlaps(records);
    check_sizes(records);
    return records;
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const { throw FormatError(where_, "zip: " + problem); }

  ByteReader reader_at(uint64_t at, std::string_view what) const { return {file_, where_, what, at}; }

  // The end record is the last thing in the file but for a comment of up to 64 KiB.
  uint64_t find_end() const {
    if (file_.size() < kDirectoryEndBytes) fail("truncated");
    const uint64_t latest = file_.size() - kDirectoryEndBytes;
    const uint64_t earliest = latest - std::min(latest, kLongestComment);
    for (uint64_t at = latest + 1; at-- > earliest;) {
      auto reader = reader_at(at, "zip directory");
      if (reader.number<uint32_t>() != kDirectoryEnd) continue;
      reader.take(16);
      if (reader.number<uint16_t>() == reader.left()) return at;
    }
    fail("no directory at its end (truncated?)");
  }

  Directory find_directory() const {
    const uint64_t end = find_end();
    if (end >= kLocatorBytes) {
      auto locator = reader_at(end - kLocatorBytes, "zip64 locator");
      if (locator.number<uint32_t>() == kLocator64) {
        locator.take(4);
        return read_end64(locator.number<uint64_t>());
      }
    }
    auto reader = reader_at(end + 4, "zip directory");
    if (reader.number<uint16_t>() != 0 || reader.number<uint16_t>() != 0) fail("spread over several disks");
    reader.take(2);
    Directory directory;
    directory.records = reader.number<uint16_t>();
    directory.size = reader.number<uint32_t>();
    directory.offset = reader.number<uint32_t>();
    return directory;
  }

  Directory read_end64(uint64_t at) const {
    if (at > file_.size()) fail("zip64 directory lies past the end");
    auto reader = reader_at(at, "zip64 directory");
    if (reader.number<uint32_t>() != kDirectoryEnd64) fail("broken zip64 directory");
    reader.take(12);
    if (reader.number<uint32_t>() != 0 || reader.number<uint32_t>() != 0) fail("spread over several disks");
    reader.take(8);
    Directory directory;
    directory.records = reader.number<uint64_t>();
    directory.size = reader.number<uint64_t>();
    directory.offset = reader.number<uint64_t>();
    return directory;
  }

  struct Entry {
    uint16_t flags = 0, method = 0;
    uint64_t packed = 0, offset = 0;
  };

  ZipRecord read_entry(ByteReader& reader) const {
    if (reader.number<uint32_t>() != kDirectoryEntry)
      fail(fmt::format("broken directory entry at byte {}", reader.at() - 4));
    ZipRecord record;
    Entry entry;
    reader.take(4);
    entry.flags = reader.number<uint16_t>();
    entry.method = reader.number<uint16_t>();
    reader.take(4);
    record.checksum = reader.number<uint32_t>();
    entry.packed = reader.number<uint32_t>();
    record.size = reader.number<uint32_t>();
    const auto name_length = reader.number<uint16_t>();
    const auto extra_length = reader.number<uint16_t>();
    const auto comment_length = reader.number<uint16_t>();
    reader.take(8);
    entry.offset = reader.number<uint32_t>();
    record.name = reader.take_text(name_length);
    widen(record, entry, reader.take(extra_length));
    reader.take(comment_length);
    place(record, entry);
    return record;
  }

  // 4.5.3: the fields that did not fit, in this order.
  void widen(ZipRecord& record, Entry& entry, std::span<const std::byte> extra) const {
    ByteReader fields(extra, where_, "zip64 field");
    while (fields.left() >= 4) {
      const auto kind = fields.number<uint16_t>();
      const auto length = fields.number<uint16_t>();
      ByteReader field(fields.take(length), where_, "zip64 field");
      if (kind != kExtra64) continue;
      for (uint64_t* value : {&record.size, &entry.packed, &entry.offset}) {
        if (*value == kIn64) *value = field.number<uint64_t>();
      }
    }
  }

  void place(ZipRecord& record, const Entry& entry) const {
    const std::string about = fmt::format("record \"{}\"", printable(record.name));
    if (entry.flags & kEncryptedFlag) fail(about + " is encrypted");
    if (entry.method != kStored && entry.method != kDeflated)
      fail(fmt::format("{} is packed with method {}; expected 0 or 8", about, entry.method));
    record.deflated = entry.method == kDeflated;
    if (!record.deflated && entry.packed != record.size)
      fail(fmt::format("{}: {} bytes stored as {}", about, record.size, entry.packed));
    if (entry.offset > file_.size() || file_.size() - entry.offset < kLocalHeaderBytes)
      fail(about + " begins past the end (truncated?)");
    auto header = reader_at(entry.offset, "zip record");
    if (header.number<uint32_t>() != kLocalHeader)
      fail(fmt::format("{} has no header at byte {}", about, entry.offset));
    header.take(22);
    const auto name_length = header.number<uint16_t>();
    const auto extra_length = header.number<uint16_t>();
    header.take(uint64_t{name_length} + extra_length);
    if (entry.packed > header.left())
      fail(fmt::format("{} of {} bytes runs past the end (truncated?)", about, entry.packed));
    record.packed = header.take(entry.packed);
  }

  // Small archives that unpack to terabytes let their records share bytes.
  void check_overlaps(const std::vector<ZipRecord>& records) const {
    std::vector<const ZipRecord*> order;
    order.reserve(records.size());
    for (const auto& record : records) order.push_back(&record);
    std::ranges::sort(order, {}, [](const ZipRecord* r) { return std::pair(r->packed.data(), r->packed.size()); });
    for (size_t i = 1; i < order.size(); ++i) {
      if (order[i - 1]->packed.data() + order[i - 1]->packed.size() > order[i]->packed.data())
        fail(
            fmt::format("records \"{}\" and \"{}\" overlap", printable(order[i - 1]->name), printable(order[i]->name)));
    }
  }

  void check_sizes(const std::vector<ZipRecord>& records) const {
    uint64_t total = 0;
    for (const auto& record : records) {
      if (!record.deflated) continue;
      if (record.size / kDeflateRatio > record.packed.size())
        fail(fmt::format("record \"{}\": {} bytes cannot unpack to {}", printable(record.name), record.packed.size(),
                         record.size));
      total += record.size;  // at most 1032 times the file's size
      if (total > kLargestUnpacked) fail(fmt::format("unpacks to more than {} GiB", kLargestUnpacked >> 30));
    }
  }

  std::span<const std::byte> file_;
  const std::string& where_;
};

struct InflateStream {
  z_stream value{};
  InflateStream() { inflateInit2(&value, -MAX_WBITS); }  // raw, without zlib's own header
  ~InflateStream() { inflateEnd(&value); }
  InflateStream(const InflateStream&) = delete;
  InflateStream& operator=(const InflateStream&) = delete;
};

uInt piece(uint64_t left) { return static_cast<uInt>(std::min<uint64_t>(left, 1u << 30)); }

// Fills `out` exactly; false when the stream is broken, shorter or longer.
bool inflate_into(std::span<std::byte> out, std::span<const std::byte> in) {
  InflateStream stream;
  z_stream& z = stream.value;
  size_t read = 0, written = 0;
  int status = Z_OK;
  std::byte spare{};
  while (status == Z_OK) {
    const bool full = written == out.size();
    z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data() + read));
    z.avail_in = piece(in.size() - read);
    z.next_out = reinterpret_cast<Bytef*>(full ? &spare : out.data() + written);
    z.avail_out = full ? 1 : piece(out.size() - written);
    const uInt in_before = z.avail_in, out_before = z.avail_out;
    status = ::inflate(&z, Z_NO_FLUSH);
    read += in_before - z.avail_in;
    if (full && z.avail_out != out_before) return false;
    written += out_before - z.avail_out;
    if (in_before == z.avail_in && out_before == z.avail_out) break;
  }
  return status == Z_STREAM_END && written == out.size();
}

}  // namespace

ZipArchive::ZipArchive(std::span<const std::byte> file, std::string where) : where_(std::move(where)) {
  records_ = Scanner(file, where_).records();
  for (size_t i = 0; i < records_.size(); ++i) {
    if (!by_name_.emplace(records_[i].name, i).second)
      throw FormatError(where_, fmt::format("zip: record \"{}\" occurs twice", printable(records_[i].name)));
  }
}

const ZipRecord* ZipArchive::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &records_[found->second];
}

std::vector<std::byte> inflate(const ZipRecord& record, std::string_view where) {
  if (const uint64_t available = available_memory_bytes(); available != 0 && record.size > available)
    throw ResourceError(where, fmt::format("record \"{}\" unpacks to {} MiB; {} MiB of memory are available",
                                           printable(record.name), record.size >> 20, available >> 20));
  std::vector<std::byte> bytes(record.size);
  if (!inflate_into(bytes, record.packed))
    throw FormatError(where, fmt::format("zip: record \"{}\" is broken or not of the {} bytes it claims",
                                         printable(record.name), record.size));
  const auto checksum = crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  if (checksum != record.checksum)
    throw FormatError(where, fmt::format("zip: record \"{}\" has a wrong checksum", printable(record.name)));
  return bytes;
}

}  // namespace fresco::checkpoint

#include "fresco/training/event_file.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <chrono>

namespace fresco::training {
namespace {

// ---- protocol buffers' wire format: https://protobuf.dev/programming-guides/encoding/ --------------------

template <typename Number>
void put_little_endian(std::string& out, Number value) {
  for (size_t k = 0; k < sizeof(Number); ++k) out += static_cast<char>(value >> (8 * k) & 0xff);
}

void put_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

enum WireType : uint64_t { kVarint = 0, kDouble = 1, kBytes = 2, kFloat = 5 };
void put_tag(std::string& out, uint64_t field, WireType type) { put_varint(out, field << 3 | type); }

void put_integer(std::string& out, uint64_t field, int64_t value) {
  put_tag(out, field, kVarint);
  put_varint(out, static_cast<uint64_t>(value));
}
void put_double(std::string& out, uint64_t field, double value) {
  put_tag(out, field, kDouble);
  put_little_endian(out, std::bit_cast<uint64_t>(value));
}
void put_float(std::string& out, uint64_t field, float value) {
  put_tag(out, field, kFloat);
  put_little_endian(out, std::bit_cast<uint32_t>(value));
}
// Strings, bytes and messages alike.
void put_bytes(std::string& out, uint64_t field, std::string_view bytes) {
  put_tag(out, field, kBytes);
  put_varint(out, bytes.size());
  out += bytes;
}

// ---- fields of Event, Summary, Summary.Value, Summary.Image, SessionLog ----------------------------------

constexpr uint64_t kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7;
constexpr uint64_t kSummaryValue = 1;
constexpr uint64_t kValueTag = 1, kSimpleValue = 2, kImage = 4;
constexpr uint64_t kImageHeight = 1, kImageWidth = 2, kImageColorspace = 3, kImageBytes = 4;
constexpr uint64_t kSessionStatus = 1;
constexpr int64_t kStart = 1, kRgb = 3;

// ---- frames ----------------------------------------------------------------------------------------------

constexpr std::array<uint32_t, 256> crc_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = (value & 1) != 0 ? value >> 1 ^ 0x82f63b78u : value >> 1;
    table[byte] = value;
  }
  return table;
}
constexpr std::array<uint32_t, 256> kCrcTable = crc_table();

// So that the CRC of data that holds CRCs says something (record_writer.h).
uint32_t masked(uint32_t crc) { return std::rotr(crc, 15) + 0xa282ead8u; }

std::filesystem::path fresh_name(const std::filesystem::path& folder) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  // Readers take files in the order of their names.
  const std::string name =
      fmt::format("events.out.tfevents.{:010}.fresco", std::chrono::duration_cast<std::chrono::seconds>(now).count());
  for (int number = 0;; ++number) {
    auto file = folder / (number == 0 ? name : fmt::format("{}.{}", name, number));
    if (!std::filesystem::exists(file)) return file;
  }
}

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  uint32_t crc = 0xffffffffu;
  for (const char byte : bytes) crc = kCrcTable[(crc ^ static_cast<uint8_t>(byte)) & 0xff] ^ crc >> 8;
  return ~crc;
}

std::string framed(std::string_view payload) {
  std::string out;
  put_little_endian<uint64_t>(out, payload.size());
  put_little_endian(out, masked(crc32c(out)));
  out += payload;
  put_little_endian(out, masked(crc32c(payload)));
  return out;
}

EventFile::EventFile(const std::filesystem::path& folder, std::optional<int64_t> from) : file_(fresh_name(folder)) {
  std::string version;
  put_bytes(version, kFileVersion, "brain.Event:2");
  add(0, version);
  if (from) restart(*from);
}

void EventFile::add(int64_t step, std::string_view field) {
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  std::string event;
  put_double(event, kWallTime, now.count());
  put_integer(event, kStep, step);
  event += field;
  file_.append(framed(event));
}

void EventFile::add_scalars(int64_t step, std::span<const Scalar> scalars) {
  std::string summary, field;
  for (const Scalar& scalar : scalars) {
    std::string value;
    put_bytes(value, kValueTag, scalar.tag);
    put_float(value, kSimpleValue, static_cast<float>(scalar.value));
    put_bytes(summary, kSummaryValue, value);
  }
  put_bytes(field, kSummary, summary);
  add(step, field);
}

void EventFile::add_image(int64_t step, std::string_view tag, int64_t height, int64_t width, std::string_view bytes) {
  std::string image, value, summary, field;
  put_integer(image, kImageHeight, height);
  put_integer(image, kImageWidth, width);
  put_integer(image, kImageColorspace, kRgb);
  put_bytes(image, kImageBytes, bytes);
  put_bytes(value, kValueTag, tag);
  put_bytes(value, kImage, image);
  put_bytes(summary, kSummaryValue, value);
  put_bytes(field, kSummary, summary);
  add(step, field);
}

void EventFile::restart(int64_t step) {
  std::string log, field;
  put_integer(log, kSessionStatus, kStart);
  put_bytes(field, kSessionLog, log);
  add(step, field);
}

}  // namespace fresco::training

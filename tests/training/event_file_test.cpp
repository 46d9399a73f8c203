#include "fresco/training/event_file.h"

#include <gmock/gmock.h>

#include <bit>
#include <cstring>
#include <vector>

#include "fresco/core/error.h"
#include "tests/training/watch_helpers.h"

namespace fresco::training {
namespace {

using ::testing::MatchesRegex;

template <typename Number>
Number little_endian(std::string_view bytes) {
  Number value{};
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

uint32_t unmasked(uint32_t masked) { return std::rotl(masked - 0xa282ead8u, 15); }

// Payloads of a file of TFRecords; fails where a frame is not as its format says.
std::vector<std::string> payloads(std::string_view bytes) {
  std::vector<std::string> all;
  while (!bytes.empty()) {
    if (bytes.size() < 16) throw std::runtime_error("torn frame");
    const auto length = little_endian<uint64_t>(bytes);
    if (unmasked(little_endian<uint32_t>(bytes.substr(8))) != crc32c(bytes.substr(0, 8)))
      throw std::runtime_error("wrong CRC of the length");
    const std::string_view payload = bytes.substr(12, length);
    if (unmasked(little_endian<uint32_t>(bytes.substr(12 + length))) != crc32c(payload))
      throw std::runtime_error("wrong CRC of the payload");
    all.emplace_back(payload);
    bytes.remove_prefix(16 + length);
  }
  return all;
}

TEST(Crc32c, IsThatOfTheStandard) {
  // RFC 3720, appendix B.4
  std::string rising, falling;
  for (char k = 0; k < 32; ++k) {
    rising += k;
    falling += static_cast<char>(31 - k);
  }
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(crc32c(rising), 0x46dd794eu);
  EXPECT_EQ(crc32c(falling), 0x113fdb5cu);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
}

TEST(EventFile, HoldsFramesOfEvents) {
  const TemporaryFolder folder;
  EventFile file(folder.path, std::nullopt);
  const Scalar scalars[] = {{"train/loss", 0.5}};
  file.add_scalars(300, scalars);
  EXPECT_THAT(file.path().filename().string(), MatchesRegex("events.out.tfevents.[0-9]{10}.fresco"));

  const auto events = payloads(content(file.path()));
  ASSERT_EQ(events.size(), 2u);
  // fields: wall_time (9 bytes), step, then the rest
  EXPECT_EQ(events[0][0], '\x09');
  EXPECT_EQ(events[0].substr(9), std::string("\x10\x00\x1a\x0d", 4) + "brain.Event:2");
  // step 300 as a varint; summary (5) > value (1) > tag (1), simple_value (2) = 0.5f
  EXPECT_EQ(events[1].substr(9), std::string("\x10\xac\x02\x2a\x13\x0a\x11\x0a\x0atrain/loss\x15\x00\x00\x00\x3f", 24));
}

TEST(EventFile, TakesANewNameAndTellsReadersWhatToForget) {
  const TemporaryFolder folder;
  const EventFile first(folder.path, std::nullopt), second(folder.path, 41);
  EXPECT_NE(first.path(), second.path());
  const auto events = payloads(content(second.path()));
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[1].substr(9), "\x10\x29\x3a\x02\x08\x01");  // step 41, session_log (7) > status (1) = START
}

TEST(EventFile, RefusesAFolderThatIsNotThere) { EXPECT_THROW(EventFile("/no/such/folder", std::nullopt), InputError); }

}  // namespace
}  // namespace fresco::training

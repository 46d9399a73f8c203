#include "fresco/data/tar_writer.h"

#include <fmt/format.h>

#include <numeric>

#include "fresco/core/error.h"

namespace fresco::data {
namespace {

constexpr size_t kBlock = 512;
constexpr size_t kLongestName = 100;
constexpr size_t kLargestMember = size_t{1} << 33;  // eleven octal digits
constexpr size_t kChecksumPlace = 148;

void put(std::string& header, size_t place, std::string_view text) { header.replace(place, text.size(), text); }

}  // namespace

std::string tar_member(std::string_view name, std::string_view bytes) {
  if (name.size() > kLongestName)
    throw InputError("tar", fmt::format("expected a name of at most {} bytes, got {}", kLongestName, printable(name)));
  if (bytes.size() >= kLargestMember)
    throw InputError("tar", fmt::format("{}: expected less than 8 GiB, got {} bytes", printable(name), bytes.size()));
  std::string header(kBlock, '\0');
  put(header, 0, name);
  put(header, 100, "0000644");  // rights
  put(header, 108, "0000000");  // user
  put(header, 116, "0000000");  // group
  put(header, 124, fmt::format("{:011o}", bytes.size()));
  put(header, 136, "00000000000");  // time
  put(header, kChecksumPlace, "        ");
  put(header, 156, "0");  // an ordinary file
  put(header, 257, std::string_view("ustar\00000", 8));
  const int sum = std::accumulate(header.begin(), header.end(), 0,
                                  [](int total, char c) { return total + static_cast<unsigned char>(c); });
  put(header, kChecksumPlace, fmt::format("{:06o}", sum) + '\0');
  std::string member = header;
  member.append(bytes);
  member.resize((member.size() + kBlock - 1) / kBlock * kBlock, '\0');
  return member;
}

std::string tar_end() { return std::string(2 * kBlock, '\0'); }

}  // namespace fresco::data

#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace fresco {

/// SHA-256 (FIPS 180-4) fed piece by piece.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void update(std::span<const std::byte> bytes);
  void update(std::string_view bytes);
  /// 64 lower-case hexadecimal digits; call once.
  std::string hex();

 private:
  void* context_;
};

std::string sha256_hex(std::string_view bytes);
/// Errors: InputError when the file cannot be read.
std::string sha256_file(const std::filesystem::path& file);

}  // namespace fresco

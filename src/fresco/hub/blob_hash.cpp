#include "fresco/hub/blob_hash.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <fstream>
#include <memory>
#include <vector>

#include "fresco/core/error.h"
#include "fresco/hub/names.h"

namespace fresco::hub {
namespace {

constexpr size_t kBlock = 1 << 20;

std::string hex(EVP_MD_CTX* context) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  EVP_DigestFinal_ex(context, digest, &length);
  std::string text;
  for (unsigned int i = 0; i < length; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

}  // namespace

std::string blob_hash(const std::filesystem::path& file, std::string_view etag, const Observer& observer) {
  const bool git = is_hex(etag, 40);
  if (!git && !is_hex(etag, 64)) return std::string(etag);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  EVP_DigestInit_ex(context.get(), git ? EVP_sha1() : EVP_sha256(), nullptr);
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  std::ifstream stream(file, std::ios::binary);
  if (error || !stream) throw ResourceError(file.string(), "cannot read what was downloaded");
  const std::string head = fmt::format("blob {}", size);
  if (git) EVP_DigestUpdate(context.get(), head.c_str(), head.size() + 1);
  std::vector<char> block(kBlock);
  while (stream.read(block.data(), static_cast<std::streamsize>(block.size())) || stream.gcount() > 0) {
    check_cancelled(observer);
    EVP_DigestUpdate(context.get(), block.data(), static_cast<size_t>(stream.gcount()));
  }
  if (stream.bad()) throw ResourceError(file.string(), "cannot read what was downloaded");
  return hex(context.get());
}

}  // namespace fresco::hub

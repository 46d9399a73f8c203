#include "tests/checkpoint/torch_builder.h"

#include <zlib.h>

namespace fresco::checkpoint {
namespace {

std::string deflated(const std::string& data) {
  std::string packed(compressBound(data.size()) + 64, '\0');
  z_stream z{};
  deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  z.avail_in = static_cast<uInt>(data.size());
  z.next_out = reinterpret_cast<Bytef*>(packed.data());
  z.avail_out = static_cast<uInt>(packed.size());
  deflate(&z, Z_FINISH);
  packed.resize(z.total_out);
  deflateEnd(&z);
  return packed;
}

struct Fields {
  std::string packed, common;  // common: version .. name length
  uint64_t size;
};

std::string directory_entry(const ZipPart& part, const std::string& packed, uint32_t crc, uint64_t size,
                            uint64_t offset, bool wide) {
  const auto method = static_cast<uint16_t>(part.deflate ? 8 : 0);
  const bool extra = wide || size > 0xfffffffe;
  std::string entry = little<uint32_t>(0x02014b50) + little<uint16_t>(45) + little<uint16_t>(45) + little<uint16_t>(0) +
                      little(method) + little<uint32_t>(0) + little(crc);
  entry += extra ? std::string(8, '\xff')
                 : little(static_cast<uint32_t>(packed.size())) + little(static_cast<uint32_t>(size));
  entry += little(static_cast<uint16_t>(part.name.size())) + little<uint16_t>(extra ? 28 : 0) + std::string(10, '\0');
  entry += extra ? std::string(4, '\xff') : little(static_cast<uint32_t>(offset));
  entry += part.name;
  if (extra)
    entry +=
        little<uint16_t>(1) + little<uint16_t>(24) + little(size) + little<uint64_t>(packed.size()) + little(offset);
  return entry;
}

std::string directory_end(uint64_t count, uint64_t size, uint64_t offset, bool wide) {
  std::string end;
  if (wide) {
    end = little<uint32_t>(0x06064b50) + little<uint64_t>(44) + little<uint32_t>(0) + std::string(8, '\0') +
          little(count) + little(count) + little(size) + little(offset);
    end += little<uint32_t>(0x07064b50) + little<uint32_t>(0) + little(offset + size) + little<uint32_t>(1);
  }
  end += little<uint32_t>(0x06054b50) + std::string(4, '\0');
  if (wide) return end + std::string(12, '\xff') + std::string(2, '\0');
  return end + little(static_cast<uint16_t>(count)) + little(static_cast<uint16_t>(count)) +
         little(static_cast<uint32_t>(size)) + little(static_cast<uint32_t>(offset)) + std::string(2, '\0');
}

}  // namespace

std::string zip_bytes(const std::vector<ZipPart>& parts, bool wide) {
  std::string file, directory;
  for (const auto& part : parts) {
    const std::string packed = part.deflate ? deflated(part.data) : part.data;
    const auto crc =
        static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(part.data.data()), part.data.size()));
    const uint64_t size = part.claimed_size < 0 ? part.data.size() : static_cast<uint64_t>(part.claimed_size);
    directory += directory_entry(part, packed, crc, size, file.size(), wide);
    file += little<uint32_t>(0x04034b50) + std::string(22, '\0') + little(static_cast<uint16_t>(part.name.size())) +
            little<uint16_t>(0) + part.name + packed;
  }
  const uint64_t offset = file.size();
  return file + directory + directory_end(parts.size(), directory.size(), offset, wide);
}

std::string torch_zip(const std::string& pickle, const std::vector<std::string>& storages, bool deflate, bool wide) {
  std::vector<ZipPart> parts{{"archive/data.pkl", pickle, deflate}, {"archive/byteorder", "little", deflate}};
  for (size_t i = 0; i < storages.size(); ++i)
    parts.push_back({"archive/data/" + std::to_string(i), storages[i], deflate});
  return zip_bytes(parts, wide);
}

std::string torch_legacy(const std::string& state, const std::vector<std::pair<std::string, std::string>>& storages,
                         size_t element_bytes, bool little_endian) {
  std::string file = std::string("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15) +
                     std::string("\x80\x02M\xe9\x03.", 6);
  file += PickleBuilder().raw("}(").text("little_endian").raw(little_endian ? "\x88" : "\x89").raw("u").stop();
  file += state;
  PickleBuilder keys;
  keys.raw("](");
  for (const auto& [key, data] : storages) keys.text(key);
  file += keys.raw("e").stop();
  for (const auto& [key, data] : storages)
    file += little<int64_t>(static_cast<int64_t>(data.size() / element_bytes)) + data;
  return file;
}

}  // namespace fresco::checkpoint

#pragma once
// Builds torch checkpoints byte by byte, sound ones and broken ones.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fresco::checkpoint {

template <typename T>
std::string little(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

/// Writes a pickle of protocol 2, an opcode a call.
class PickleBuilder {
 public:
  PickleBuilder() : bytes_("\x80\x02") {}
  PickleBuilder& raw(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }
  PickleBuilder& text(std::string_view text) {
    return raw("X").raw(little<uint32_t>(static_cast<uint32_t>(text.size()))).raw(text);
  }
  PickleBuilder& integer(int64_t number) { return raw("\x8a\x08").raw(little(number)); }
  PickleBuilder& global(std::string_view module, std::string_view name) {
    return raw("c").raw(module).raw("\n").raw(name).raw("\n");
  }
  PickleBuilder& integers(const std::vector<int64_t>& numbers) {
    raw("(");
    for (const int64_t number : numbers) integer(number);
    return raw("t");
  }
  PickleBuilder& storage(std::string_view type, std::string_view key, int64_t elements) {
    return raw("(").text("storage").global("torch", type).text(key).text("cpu").integer(elements).raw("tQ");
  }
  PickleBuilder& legacy_storage(std::string_view type, std::string_view key, int64_t elements) {
    return raw("(").text("storage").global("torch", type).text(key).text("cpu").integer(elements).raw("NtQ");
  }
  struct Layout {
    int64_t offset = 0;
    std::vector<int64_t> shape, strides;
  };
  PickleBuilder& tensor(const PickleBuilder& storage, const Layout& layout) {
    return global("torch._utils", "_rebuild_tensor_v2")
        .raw("(")
        .raw(storage.body())
        .integer(layout.offset)
        .integers(layout.shape)
        .integers(layout.strides)
        .raw("\x89")
        .global("collections", "OrderedDict")
        .raw(")RtR");
  }
  /// Without the protocol in front, to be put into another.
  std::string_view body() const { return std::string_view(bytes_).substr(2); }
  std::string stop() const { return bytes_ + "."; }

 private:
  std::string bytes_;
};

struct ZipPart {
  std::string name, data;
  bool deflate = false;
  int64_t claimed_size = -1;  // unpacked size to claim; -1: the true one
};

/// `wide`: directory fields in zip64 form.
std::string zip_bytes(const std::vector<ZipPart>& parts, bool wide = false);

/// A torch zip: data.pkl with `pickle`, and one record a storage.
std::string torch_zip(const std::string& pickle, const std::vector<std::string>& storages, bool deflate = false,
                      bool wide = false);

/// magic, protocol, system, `state`, keys, storages, as torch before 1.6.
std::string torch_legacy(const std::string& state, const std::vector<std::pair<std::string, std::string>>& storages,
                         size_t element_bytes, bool little_endian = true);

}  // namespace fresco::checkpoint

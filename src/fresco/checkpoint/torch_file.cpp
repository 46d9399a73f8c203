#include "fresco/checkpoint/torch_file.h"

#include <fmt/format.h>

#include <map>

#include "fresco/checkpoint/byte_reader.h"
#include "fresco/checkpoint/pickle.h"
#include "fresco/checkpoint/torch_tensors.h"
#include "fresco/checkpoint/zip_archive.h"
#include "fresco/core/checked.h"
#include "fresco/core/error.h"

namespace fresco::checkpoint {
namespace {

constexpr std::string_view kPickleRecord = "data.pkl";
constexpr uint64_t kLargestPickleRecord = uint64_t{64} << 20;
// torch's number for "made by torch.save", as a pickled integer of ten bytes.
constexpr std::string_view kLegacyMagic{"\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10};
constexpr int64_t kLegacyProtocol = 1001;

uint64_t element_bytes(const PickledStorage& storage) { return storage.type ? size_in_bytes(*storage.type) : 1; }

// ---- Zip

// A record's bytes, unpacked when need be.
struct Record {
  std::span<const std::byte> bytes;
  std::vector<std::byte> owned;
};

Record whole_record(const ZipRecord& record, std::string_view where) {
  if (record.size > kLargestPickleRecord)
    throw FormatError(where, fmt::format("record \"{}\": expected at most {} bytes, got {}", printable(record.name),
                                         kLargestPickleRecord, record.size));
  if (!record.deflated) return {record.packed, {}};
  Record unpacked{{}, inflate(record, where)};
  unpacked.bytes = unpacked.owned;
  return unpacked;
}

// torch puts everything in one folder, whose name is the file's when it was saved.
std::string folder_in(const ZipArchive& archive, std::string_view where) {
  for (const auto& record : archive.records()) {
    if (record.name == kPickleRecord) return "";
    if (record.name.ends_with("/data.pkl")) return record.name.substr(0, record.name.size() - kPickleRecord.size());
  }
  throw FormatError(where, "a zip archive without data.pkl, so not a torch checkpoint");
}

void check_byte_order(const ZipArchive& archive, const std::string& folder, std::string_view where) {
  const ZipRecord* record = archive.find(folder + "byteorder");
  if (record == nullptr) return;
  const Record order = whole_record(*record, where);
  const std::string_view word(reinterpret_cast<const char*>(order.bytes.data()), order.bytes.size());
  if (!word.starts_with("little"))
    throw FormatError(where, fmt::format("byte order: expected little, got \"{}\"", printable(word, 20)));
}

StoredBytes find_storage(const PickledStorage& storage, const ZipArchive& archive, const std::string& folder,
                         std::string_view where) {
  const ZipRecord* record = archive.find(fmt::format("{}data/{}", folder, storage.key));
  if (record == nullptr)
    throw FormatError(where, fmt::format("storage \"{}\" is missing (truncated?)", printable(storage.key)));
  if (storage.view)
    throw FormatError(
        where, fmt::format("storage \"{}\" is a view, which zip checkpoints do not have", printable(storage.key)));
  const auto bytes = checked_mul<uint64_t>(storage.elements, element_bytes(storage));
  if (!bytes || *bytes > record->size)
    throw FormatError(
        where, fmt::format("storage \"{}\": expected {} elements of {} bytes, got {} bytes", printable(storage.key),
                           storage.elements, element_bytes(storage), record->size));
  return record->deflated ? StoredBytes{{}, record} : StoredBytes{record->packed.first(*bytes), nullptr};
}

// ---- Legacy

bool is_little_endian(const Pickle& system) {
  const PickleValue* flag = system.find(system.at(system.root), "little_endian");
  return flag == nullptr || flag->number != 0;
}

std::vector<std::string_view> text_list(const Pickle& pickle, std::string_view where) {
  const PickleValue& list = pickle.at(pickle.root);
  std::vector<std::string_view> words;
  for (const Handle item : list.items) {
    if (pickle.at(item).kind != PickleKind::text)
      throw FormatError(where, "the list of storages holds something that is no name");
    words.push_back(pickle.at(item).text);
  }
  return words;
}

class LegacyFile {
 public:
  explicit LegacyFile(std::shared_ptr<const MappedFile> file)
      : file_(std::move(file)), where_(file_->path().string()) {}

  std::shared_ptr<const TensorSource> open() {
    check_header();
    const Pickle state = next_pickle();
    const Pickle keys = next_pickle();
    collect_sizes(state);
    const auto extents = storage_extents(text_list(keys, where_));
    std::vector<StoredBytes> storages;
    for (const auto& storage : state.storages) storages.push_back(stored_bytes(storage, extents));
    return std::make_shared<TorchTensors>(file_, nullptr, state, std::move(storages));
  }

 private:
  using Extents = std::map<std::string_view, std::span<const std::byte>>;

  [[noreturn]] void fail(const std::string& problem) const { throw FormatError(where_, problem); }

  Pickle next_pickle() {
    Pickle pickle = read_pickle(file_->bytes().subspan(at_), where_);
    at_ += pickle.length;
    return pickle;
  }

  void check_header() {
    const Pickle magic = next_pickle();
    if (magic.at(magic.root).text != kLegacyMagic) fail("a pickle, but not one that torch.save wrote");
    const Pickle protocol = next_pickle();
    if (protocol.at(protocol.root).number != kLegacyProtocol)
      fail(fmt::format("torch's old format: expected protocol {}, got {}", kLegacyProtocol,
                       protocol.at(protocol.root).number));
    if (!is_little_endian(next_pickle())) fail("byte order: expected little, got big");
  }

  // What the file says before each storage is a number of elements; only the pickle knows how wide they are.
  void collect_sizes(const Pickle& state) {
    for (const auto& storage : state.storages) {
      const auto [known, is_new] = widths_.emplace(storage.key, element_bytes(storage));
      if (!is_new && known->second != element_bytes(storage))
        fail(fmt::format("storage \"{}\" has two element types", printable(storage.key)));
    }
  }

  Extents storage_extents(const std::vector<std::string_view>& keys) {
    ByteReader reader(file_->bytes(), where_, "list of storages", at_);
    Extents extents;
    for (const auto key : keys) {
      const auto width = widths_.find(key);
      if (width == widths_.end()) fail(fmt::format("storage \"{}\" belongs to no tensor", printable(key)));
      const auto elements = reader.number<int64_t>();
      const auto bytes =
          elements < 0 ? std::nullopt : checked_mul<uint64_t>(static_cast<uint64_t>(elements), width->second);
      if (!bytes || *bytes > reader.left())
        fail(fmt::format("storage \"{}\" of {} elements runs past the end (truncated?)", printable(key), elements));
      if (!extents.emplace(key, reader.take(*bytes)).second)
        fail(fmt::format("storage \"{}\" occurs twice", printable(key)));
    }
    return extents;
  }

  StoredBytes stored_bytes(const PickledStorage& storage, const Extents& extents) const {
    const auto found = extents.find(storage.key);
    if (found == extents.end()) fail(fmt::format("storage \"{}\" is missing (truncated?)", printable(storage.key)));
    const uint64_t width = element_bytes(storage), available = found->second.size() / width;
    if (storage.view_begin > available || storage.elements > available - storage.view_begin)
      fail(fmt::format("storage \"{}\": expected {} elements from {}, got {}", printable(storage.key), storage.elements,
                       storage.view_begin, available));
    return {found->second.subspan(storage.view_begin * width, storage.elements * width), nullptr};
  }

  std::shared_ptr<const MappedFile> file_;
  std::string where_;
  uint64_t at_ = 0;
  std::map<std::string_view, uint64_t> widths_;  // bytes of one element
};

}  // namespace

bool is_zip(std::string_view beginning) {
  return beginning.starts_with("PK\x03\x04") || beginning.starts_with("PK\x05\x06");
}
bool is_pickle(std::string_view beginning) {
  return beginning.size() >= 2 && beginning[0] == '\x80' && beginning[1] >= 2 && beginning[1] <= 5;
}

std::shared_ptr<const TensorSource> open_torch_zip(std::shared_ptr<const MappedFile> file) {
  const std::string where = file->path().string();
  const auto archive = std::make_shared<const ZipArchive>(file->bytes(), where);
  const std::string folder = folder_in(*archive, where);
  check_byte_order(*archive, folder, where);
  const Record record = whole_record(*archive->find(folder + std::string(kPickleRecord)), where);
  const Pickle pickle = read_pickle(record.bytes, where);
  std::vector<StoredBytes> storages;
  for (const auto& storage : pickle.storages) storages.push_back(find_storage(storage, *archive, folder, where));
  return std::make_shared<TorchTensors>(std::move(file), archive, pickle, std::move(storages));
}

std::shared_ptr<const TensorSource> open_torch_legacy(std::shared_ptr<const MappedFile> file) {
  return LegacyFile(std::move(file)).open();
}

}  // namespace fresco::checkpoint

#include "fresco/checkpoint/packed_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "fresco/checkpoint/folder.h"
#include "fresco/core/error.h"
#include "fresco/core/sha256.h"

namespace fresco::checkpoint {
namespace {

FileSet tokenizer_of(const PackedFile& file) {
  if (file.header.tokenizer.empty()) return {};
  std::map<std::string, std::string> contents;
  for (const auto& [name, blob] : file.header.tokenizer) {
    const auto bytes = file.bytes(blob);
    contents[name].assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  return {file.file->path(), std::move(contents)};
}

Part part_of(const std::shared_ptr<const PackedFile>& file, const std::string& name) {
  return {.config = file->header.parts.at(name).config,
          .config_place = fmt::format("{}: {}", file->place(), name),
          .tensors = std::make_shared<PackedTensors>(file, name)};
}

// Hashes in pieces, so that a mapped file need not lie in memory whole and the work can be stopped.
void verify(const PackedFile& file, const Blob& blob, const std::string& what, Observer& observer) {
  constexpr size_t kPiece = 16 << 20;
  Sha256 hash;
  for (auto rest = file.bytes(blob); !rest.empty(); rest = rest.subspan(std::min(rest.size(), kPiece))) {
    check_cancelled(observer);
    hash.update(rest.first(std::min(rest.size(), kPiece)));
  }
  if (hash.hex() != blob.sha256)
    throw FormatError(file.place(), fmt::format("{} is damaged: its checksum does not fit", what));
}

}  // namespace

PackedTensors::PackedTensors(std::shared_ptr<const PackedFile> file, const std::string& part) : file_(std::move(file)) {
  std::vector<TensorInfo> infos;
  std::vector<Place> places;
  for (const PackedTensor& weights : file_->header.parts.at(part).tensors) {
    for (const auto& name : weights.names) {
      places.push_back({&weights, static_cast<int64_t>(&name - weights.names.data())});
      infos.push_back({name, weights.storage, weights.shape});
    }
  }
  for (const size_t i : adopt(std::move(infos), place())) places_.push_back(places[i]);
}

TensorData PackedTensors::read(std::string_view name) const {
  const auto [weights, index] = find_packed(name);
  if (weights->layout != PackedLayout::plain)
    throw FormatError(place(), fmt::format("tensor \"{}\" is packed as {}: expected a plain one", printable(name),
                                           checkpoint::name(weights->layout)));
  const uint64_t each = weights->data.bytes / weights->names.size();
  return aligned(*find(name), file_->bytes(weights->data).subspan(each * static_cast<uint64_t>(index), each));
}

void PackedTensors::release(std::string_view name) const {
  file_->file->release(file_->bytes(find_packed(name).weights->data));
}

bool is_packed(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string beginning(kPackedMagic.size(), 0);
  file.read(beginning.data(), static_cast<std::streamsize>(beginning.size()));
  return file && beginning == kPackedMagic;
}

ModelFiles open_packed(const std::filesystem::path& path) {
  auto mapped = std::make_shared<const MappedFile>(path);
  auto header = parse_packed(mapped->bytes(), path.string());
  const auto file = std::make_shared<const PackedFile>(PackedFile{std::move(mapped), std::move(header)});
  ModelFiles files;
  files.root = path;
  files.unet = part_of(file, "unet");
  files.vae = part_of(file, "vae");
  files.text_encoder = part_of(file, "text_encoder");
  files.tokenizer = tokenizer_of(*file);
  files.scheduler = file->header.scheduler;
  files.scheduler_place = fmt::format("{}: scheduler", path.string());
  files.family = family_of(files.unet);
  return files;
}

std::shared_ptr<const PackedFile> packed_file(const Part& part) {
  const auto* tensors = dynamic_cast<const PackedTensors*>(part.tensors.get());
  return tensors == nullptr ? nullptr : tensors->file();
}

void verify_packed(const PackedFile& file, Observer& observer) {
  uint64_t done = 0;
  for (const auto& [part, content] : file.header.parts) {
    for (const PackedTensor& tensor : content.tensors) {
      const std::string what = fmt::format("tensor \"{}\"", printable(tensor.names.front()));
      verify(file, tensor.data, what, observer);
      for (const auto& [key, array] : tensor.arrays) verify(file, array, what, observer);
      done += tensor.data.bytes;
      observer.on_transfer({"verify", done, file.file->bytes().size()});
    }
  }
  for (const auto& [name, blob] : file.header.tokenizer) verify(file, blob, printable(name), observer);
}

PackedWriter::PackedWriter(const std::filesystem::path& target) : file_(target) {
  file_.write(std::string(kPackedPreamble, '\0'));
  at_ = kPackedPreamble;
}

// Whole pages for what is large: its pages come and go without those of its neighbours.
Blob PackedWriter::add(std::span<const std::byte> bytes) {
  pad_to(bytes.size() >= kPage ? kPage : kPackedAlignment);
  Sha256 hash;
  hash.update(bytes);
  file_.write(bytes);
  const Blob blob{at_, bytes.size(), hash.hex()};
  at_ += bytes.size();
  return blob;
}

void PackedWriter::pad_to(uint64_t multiple) {
  const std::string zeros((at_ + multiple - 1) / multiple * multiple - at_, '\0');
  file_.write(zeros);
  at_ += zeros.size();
}

uint64_t PackedWriter::finish(const PackedHeader& header, bool overwrite) {
  pad_to(kPackedAlignment);
  const std::string text = to_text(header);
  file_.write(text);
  file_.write_at(0, packed_preamble(text, at_));
  file_.commit(overwrite);
  return at_ + text.size();
}

}  // namespace fresco::checkpoint

// An index of shards: {"metadata": {..}, "weight_map": {"tensor": "file beside the index"}}.
#include <fmt/format.h>

#include <filesystem>
#include <map>

#include "fresco/checkpoint/tensor_source.h"
#include "fresco/checkpoint/views.h"
#include "fresco/core/error.h"
#include "fresco/core/json.h"

namespace fresco::checkpoint {
namespace {

void check_shard_name(const std::string& shard, const std::string& index_file) {
  const bool plain = !shard.empty() && shard != "." && shard != ".." &&
                     shard.find_first_of(std::string("/\\\0", 3)) == std::string::npos;
  if (!plain)
    throw FormatError(index_file,
                      fmt::format("shard \"{}\": expected the name of a file beside the index", printable(shard)));
}

using ShardMembers = std::map<std::string, std::vector<Renaming>>;

ShardMembers read_index(const std::string& index_file) {
  const Json index = read_json(index_file);
  const auto weights = index.is_object() ? index.find("weight_map") : index.end();
  if (weights == index.end() || !weights->is_object())
    throw FormatError(index_file, "expected an object \"weight_map\"");
  ShardMembers members;
  for (const auto& [tensor, shard] : weights->items()) {
    if (!shard.is_string())
      throw FormatError(
          index_file, fmt::format("tensor \"{}\": expected a file name, got {}", printable(tensor), shard.type_name()));
    auto& member = members[shard.get<std::string>()];
    member.push_back({tensor, tensor, std::nullopt});
  }
  if (members.empty()) throw FormatError(index_file, "names no shards");
  return members;
}

}  // namespace

std::shared_ptr<const TensorSource> open_sharded_tensors(const std::string& index_file) {
  std::vector<std::shared_ptr<const TensorSource>> shards;
  for (auto& [file, members] : read_index(index_file)) {
    check_shard_name(file, index_file);
    const auto path = std::filesystem::path(index_file).parent_path() / file;
    std::error_code unreadable;
    if (!std::filesystem::exists(path, unreadable))
      throw InputError(index_file, fmt::format("shard \"{}\" is missing beside it", printable(file)));
    auto shard = open_tensors(path.string());
    for (const auto& member : members) {
      if (shard->find(member.from) == nullptr)
        throw FormatError(path.string(), fmt::format("tensor \"{}\" is missing, though the index puts it here",
                                                     printable(member.from)));
    }
    shards.push_back(rename(std::move(shard), std::move(members)));
  }
  return join(std::move(shards), index_file);
}

}  // namespace fresco::checkpoint

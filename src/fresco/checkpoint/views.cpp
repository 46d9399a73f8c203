#include "fresco/checkpoint/views.h"

#include "fresco/checkpoint/listed_tensors.h"
#include "fresco/core/error.h"

namespace fresco::checkpoint {
namespace {

// Every tensor lies in some other source, perhaps under another name.
class View final : public ListedTensors {
 public:
  struct Origin {
    const TensorSource* source;
    std::string name;
  };

  View(std::vector<std::shared_ptr<const TensorSource>> sources, std::vector<TensorInfo> infos,
       std::vector<Origin> origins, std::string place)
      : sources_(std::move(sources)), place_(std::move(place)) {
    origins_.reserve(origins.size());
    for (const size_t i : adopt(std::move(infos), place_)) origins_.push_back(std::move(origins[i]));
  }

  TensorData read(std::string_view name) const override {
    const size_t i = position(name);
    TensorData data = origins_[i].source->read(origins_[i].name);
    data.info = tensors()[i];
    return data;
  }
  void release(std::string_view name) const override {
    const Origin& origin = origins_[position(name)];
    origin.source->release(origin.name);
  }
  std::string place(std::string_view name) const override {
    const TensorInfo* info = name.empty() ? nullptr : find(name);
    if (info == nullptr) return place_;
    const Origin& origin = origins_[static_cast<size_t>(info - tensors().data())];
    return origin.source->place(origin.name);
  }

 private:
  std::vector<std::shared_ptr<const TensorSource>> sources_;
  std::vector<Origin> origins_;  // parallel to tensors()
  std::string place_;
};

}  // namespace

std::shared_ptr<const TensorSource> rename(std::shared_ptr<const TensorSource> source,
                                           std::vector<Renaming> renamings) {
  std::vector<TensorInfo> infos;
  std::vector<View::Origin> origins;
  for (auto& renaming : renamings) {
    const TensorInfo* info = source->find(renaming.from);
    if (info == nullptr) continue;
    infos.push_back({std::move(renaming.to), info->type, std::move(renaming.shape).value_or(info->shape)});
    origins.push_back({source.get(), std::move(renaming.from)});
  }
  std::string place = source->place();
  std::vector<std::shared_ptr<const TensorSource>> sources;
  sources.push_back(std::move(source));
  return std::make_shared<View>(std::move(sources), std::move(infos), std::move(origins), std::move(place));
}

std::shared_ptr<const TensorSource> join(std::vector<std::shared_ptr<const TensorSource>> parts, std::string place) {
  std::vector<TensorInfo> infos;
  std::vector<View::Origin> origins;
  for (const auto& part : parts) {
    for (const auto& info : part->tensors()) {
      infos.push_back(info);
      origins.push_back({part.get(), info.name});
    }
  }
  return std::make_shared<View>(std::move(parts), std::move(infos), std::move(origins), std::move(place));
}

}  // namespace fresco::checkpoint

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "fresco/checkpoint/model_files.h"
#include "fresco/checkpoint/packed_file.h"
#include "fresco/core/sha256.h"

namespace fresco::checkpoint {
namespace {

struct Item {
  std::string_view part;
  const TensorSource* source;
  const TensorInfo* info;
  std::string line;  // what this tensor adds to the whole
};

std::vector<Item> items_of(const ModelFiles& files) {
  std::vector<Item> items;
  const auto add = [&](std::string_view part, const Part& from) {
    if (!from.tensors || packed_file(from)) return;
    for (const auto& info : from.tensors->tensors()) items.push_back({part, from.tensors.get(), &info, {}});
  };
  add("text_encoder", files.text_encoder);
  add("unet", files.unet);
  add("vae", files.vae);
  return items;
}

std::string line_of(const Item& item) {
  Sha256 hash;
  hash.update(item.source->read(item.info->name).bytes);
  item.source->release(item.info->name);
  return fmt::format("{}/{} {} {} {}\n", item.part, item.info->name, name(item.info->type), to_string(item.info->shape),
                     hash.hex());
}

// Tensors are hashed side by side, a thread a core; the calling thread takes part and watches for cancellation.
class Workers {
 public:
  explicit Workers(std::vector<Item>& items) : items_(items) {}

  void run(Observer& observer) {
    std::vector<std::jthread> helpers;
    const unsigned count = std::clamp(std::thread::hardware_concurrency(), 1u, 16u);
    for (unsigned i = 1; i < count; ++i) helpers.emplace_back([this] { work(no_observer()); });
    work(observer);
    helpers.clear();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void work(Observer& observer) {
    try {
      for (size_t i = next_++; i < items_.size(); i = next_++) {
        check_cancelled(observer);
        items_[i].line = line_of(items_[i]);
      }
    } catch (...) {
      next_ = items_.size();
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
    }
  }

  std::vector<Item>& items_;
  std::atomic<size_t> next_ = 0;
  std::mutex mutex_;
  std::exception_ptr failure_;
};

}  // namespace

std::string weights_hash(const ModelFiles& files, Observer& observer) {
  const auto unet = packed_file(files.unet), vae = packed_file(files.vae);
  if (unet && unet == vae) return unet->header.weights_hash;
  std::vector<Item> items = items_of(files);
  Workers(items).run(observer);
  Sha256 whole;
  for (const Item& item : items) whole.update(item.line);
  // Of a packed file's own tensors only the hash of the whole is known.
  for (const auto& packed : {unet, vae})
    if (packed) whole.update(packed->header.weights_hash);
  return whole.hex();
}

}  // namespace fresco::checkpoint

#include "fresco/training/run_checkpoint.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "fresco/checkpoint/safetensors.h"
#include "fresco/core/error.h"
#include "fresco/core/mapped_file.h"

namespace fresco::training {
namespace {

namespace fs = std::filesystem;
using checkpoint::ElementType;

constexpr const char* kFormat = "1";
constexpr const char* kSuffix = ".safetensors";
constexpr size_t kKept = 2;

ElementType type_of(const at::Tensor& values) {
  return values.scalar_type() == at::kDouble ? ElementType::f64 : ElementType::f32;
}

checkpoint::TensorData data_of(const NamedVector& vector) {
  const auto& values = vector.values;  // on the CPU
  return {{vector.name, type_of(values), values.sizes().vec()},
          {static_cast<const std::byte*>(values.const_data_ptr()), values.nbytes()},
          nullptr};
}

}  // namespace

Json to_json(const RunState& state) {
  return {{"phase", state.phase},         {"step", state.step},           {"data_offset", state.data_offset},
          {"rollbacks", state.rollbacks}, {"loss_mean", state.loss_mean}, {"loss_count", state.loss_count}};
}

RunState run_state_from(const Json& json, std::string_view where) {
  RunState state;
  state.phase = json_value(json, "phase", 0, where);
  state.step = json_value(json, "step", int64_t{0}, where);
  state.data_offset = json_value(json, "data_offset", int64_t{0}, where);
  state.rollbacks = json_value(json, "rollbacks", int64_t{0}, where);
  state.loss_mean = json_value(json, "loss_mean", 0.0, where);
  state.loss_count = json_value(json, "loss_count", int64_t{0}, where);
  return state;
}

fs::path RunCheckpoints::write(const RunRecord& record, const std::vector<NamedVector>& vectors) const {
  fs::create_directories(folder_);
  const auto file = folder_ / fmt::format("{:02}-{:09}{}", record.state.phase, record.state.step, kSuffix);
  std::vector<checkpoint::TensorData> tensors;
  std::vector<NamedVector> here;  // a GPU's are copied
  for (const auto& vector : vectors) here.push_back({vector.name, vector.values.cpu()});
  for (const auto& vector : here) tensors.push_back(data_of(vector));
  const checkpoint::Metadata metadata{{"fresco_training", kFormat},
                                      {"state", to_json(record.state).dump()},
                                      {"recipe", record.recipe.dump()},
                                      {"configs", record.configs.dump()},
                                      {"layout", record.layout}};
  checkpoint::write_safetensors(file, tensors, metadata, /*overwrite=*/true);
  auto all = files();
  for (size_t i = 0; i + kKept < all.size(); ++i) {
    std::error_code ignored;
    fs::remove(all[i], ignored);
  }
  return file;
}

std::vector<fs::path> RunCheckpoints::files() const {
  std::vector<fs::path> found;
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(folder_, missing))
    if (entry.path().extension() == kSuffix) found.push_back(entry.path());
  std::ranges::sort(found);
  return found;
}

std::optional<RunCheckpoints::Opened> RunCheckpoints::newest() const {
  auto all = files();
  std::string problem;
  for (auto file = all.rbegin(); file != all.rend(); ++file) {
    try {
      const auto metadata = checkpoint::read_metadata(MappedFile(*file).bytes(), file->string());
      const auto place = file->string();
      const auto entry = [&](const char* key) {
        const auto found = metadata.find(key);
        if (found == metadata.end()) throw FormatError(place, fmt::format("not a checkpoint of a run: no {}", key));
        return found->second;
      };
      if (entry("fresco_training") != kFormat)
        throw FormatError(place, expected_got(fmt::format("format {}", kFormat), entry("fresco_training")));
      const auto json = [&](const char* key) { return parse_json(entry(key), place); };
      RunRecord record{run_state_from(json("state"), place), json("recipe"), json("configs"), entry("layout")};
      return Opened{std::move(record), *file, checkpoint::open_tensors(place)};
    } catch (const FormatError& error) {
      problem = error.what();  // an older one may be whole
    }
  }
  if (!problem.empty()) throw FormatError(folder_.string(), "no checkpoint can be read; the oldest: " + problem);
  return std::nullopt;
}

void RunCheckpoints::Opened::restore(const std::vector<NamedVector>& vectors, const std::string& expected) const {
  if (layout != expected)
    throw FormatError(file.string(), "made for networks of another layout, or by another version of fresco");
  const c10::NoGradGuard guard;
  for (const auto& vector : vectors) {
    const auto* info = tensors->find(vector.name);
    if (info == nullptr || info->shape != vector.values.sizes().vec() || info->type != type_of(vector.values))
      throw FormatError(file.string(), fmt::format("expected \"{}\" of {} values", vector.name, vector.values.numel()));
    const auto data = tensors->read(vector.name);
    const auto there = at::from_blob(const_cast<std::byte*>(data.bytes.data()), vector.values.sizes(),
                                     vector.values.options().device(at::kCPU));
    vector.values.copy_(there);
    tensors->release(vector.name);
  }
}

}  // namespace fresco::training

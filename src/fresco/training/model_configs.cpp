#include "fresco/training/model_configs.h"

#include <algorithm>

#include "fresco/checkpoint/folder.h"
#include "fresco/checkpoint/listed_tensors.h"

namespace fresco::training {
namespace {

namespace fs = std::filesystem;

class NamesAlone final : public checkpoint::ListedTensors {
 public:
  explicit NamesAlone(const std::vector<std::string>& names) {
    std::vector<checkpoint::TensorInfo> infos;
    for (const auto& name : names) infos.push_back({name, checkpoint::ElementType::f32, {0}});
    adopt(std::move(infos), "configs");
  }
  checkpoint::TensorData read(std::string_view name) const override { return {tensors()[position(name)], {}, nullptr}; }
  void release(std::string_view) const override {}
  std::string place(std::string_view = {}) const override { return "configs"; }
};

bool says_middle_block(const Json& config) {
  const auto about = config.find("configurations");
  if (about == config.end() || !about->is_object()) return false;
  const auto resnets = about->find("mid_num_resnets");
  return resnets != about->end() && resnets->is_number_integer() && resnets->get<int64_t>() > 0;
}

}  // namespace

checkpoint::ModelFiles open_configs(const fs::path& folder) {
  checkpoint::ModelFiles files;
  files.given = folder.string();
  files.root = folder;
  checkpoint::use_configs(files, folder);
  const bool middle = says_middle_block(files.unet.config);
  files.unet.tensors =
      std::make_shared<NamesAlone>(middle ? std::vector<std::string>{"mid_block."} : std::vector<std::string>{});
  files.vae.tensors = files.text_encoder.tensors = std::make_shared<NamesAlone>(std::vector<std::string>{});
  files.family = checkpoint::family_of(files.unet);
  return files;
}

bool holds_weights(const fs::path& part) {
  std::error_code unreadable;
  const fs::directory_iterator files(part, unreadable);
  if (unreadable) return false;
  return std::any_of(begin(files), end(files), [](const fs::directory_entry& file) {
    const auto suffix = file.path().extension();
    return suffix == ".safetensors" || suffix == ".bin";
  });
}

}  // namespace fresco::training

#include "fresco/training/samples.h"

#include <filesystem>

#include "fresco/core/error.h"
#include "fresco/image/grid.h"
#include "fresco/image/read_write.h"

namespace fresco::training {

std::string save_samples(const RunFolder& folder, const Place& place, std::string_view phase_name,
                         const std::vector<image::Picture>& pictures, const std::vector<std::string>& prompts) {
  std::error_code failed;
  std::filesystem::create_directories(folder.samples(), failed);
  if (failed) throw InputError(folder.samples().string(), "cannot make the folder: " + failed.message());
  std::string list;
  for (const std::string& prompt : prompts) list += (list.empty() ? "" : "\n") + prompt;
  image::WriteOptions options;
  options.texts.push_back({"prompts", list});
  const std::string path = sample_path(place, phase_name);
  image::write_picture(folder.root / path, image::make_grid(pictures, {.border = 2}), options, true);
  return path;
}

}  // namespace fresco::training

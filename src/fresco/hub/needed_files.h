#pragma once
// Which files of a repository drawing needs: of each network one set of weights, nothing that is not read.
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace fresco::hub {

using Paths = std::vector<std::string>;  // relative to the repository, "/" between steps

/// The subset of `paths` to fetch. parts: "unet", "vae", "text_encoder", "tokenizer", "scheduler";
/// empty means all five. A folder flexible_unet/ takes the place of the weights in unet/. Empty when
/// there is nothing fresco reads, or when several single files compete (single_files() lists them).
Paths needed_files(std::span<const std::string> paths, std::span<const std::string> parts);

/// What a folder with these files still lacks, in words a user can look for; empty when drawing needs nothing more.
/// flexible: the pipeline's class says that flexible_unet/ is the network to draw with.
Paths missing_files(std::span<const std::string> paths, std::span<const std::string> parts, bool flexible);

/// The .safetensors and .ckpt files at the top of a repository that has no parts, one a stem; and the
/// one to take of them: the only one, else the only one whose name says "emaonly" (weights averaged in
/// training, without the raw ones).
Paths single_files(std::span<const std::string> paths);
std::optional<std::string> obvious_single_file(std::span<const std::string> paths);

}  // namespace fresco::hub

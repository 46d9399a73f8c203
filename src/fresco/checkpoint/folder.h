#pragma once
// Model folders as diffusers writes them: a folder for each part with config.json and weights.
#include <filesystem>

#include "fresco/checkpoint/model_files.h"

namespace fresco::checkpoint {

/// part.config from folder/config.json. Errors: InputError (not there), FormatError.
void read_config(Part& part, const std::filesystem::path& folder);

/// The part in `folder` (unet/, vae/, text_encoder/): its config and its weights, names as they are.
/// Errors: InputError (no config, no weights), FormatError.
Part open_part(const std::filesystem::path& folder);

/// A folder that is a VAE itself or a model folder with vae/ in it.
Part open_vae_folder(const std::filesystem::path& folder);

/// Where the U-Net lies: flexible_unet/ before unet/. Errors: InputError when neither is there.
std::filesystem::path unet_folder(const std::filesystem::path& model);

/// Which family a U-Net's config and tensors are of.
Family family_of(const Part& unet);

/// Configs of a model folder without any weights, for single files: unet, vae, text_encoder, scheduler, tokenizer.
void use_configs(ModelFiles& files, const std::filesystem::path& folder);

/// Everything of a model folder; the VAE is left out when `with_vae` is false. Errors: InputError naming the missing part, FormatError.
ModelFiles open_folder(const std::filesystem::path& folder, bool with_vae);

}  // namespace fresco::checkpoint

#pragma once
// Single files keep the key names of the research code; these tables turn them into diffusers' names.
// Source: scripts/convert_diffusers_to_original_stable_diffusion.py in github.com/huggingface/diffusers.
#include "fresco/checkpoint/tensor_source.h"
#include "fresco/checkpoint/views.h"

namespace fresco::checkpoint {

/// Which tensor of a single file belongs to which part, under which name.
struct SingleFileKeys {
  std::vector<Renaming> unet, vae, text;
  std::vector<std::string> unused;  // neither a part's nor known to be of no use for drawing
};

SingleFileKeys sort_keys(const TensorSource& file);

/// A VAE alone: "first_stage_model." names, the same without that prefix, or diffusers' own. Empty when it is none of these.
std::vector<Renaming> vae_keys(const TensorSource& file);

}  // namespace fresco::checkpoint

#pragma once
// What phases of every kind do with their data.
#include <memory>
#include <span>

#include "fresco/data/counter_random.h"
#include "fresco/training/phase_task.h"

namespace fresco::training {

/// The phase's sources, fitted and filtered; what is left out is told to the observer. Errors: as data::open_source.
std::unique_ptr<data::PictureSet> open_pictures(const PhaseNeeds& needs);

/// The phase's samples as latents: its cache, or one that is made under the run's folder first and found again by later phases of the same
/// pictures. Errors: InputError for a cache of another VAE or tokenizer; as data::prepare_cache.
std::unique_ptr<data::TrainingSet> open_latents(const PhaseNeeds& needs);

/// How a network of these parameters runs in a phase.
layers::Preparation preparation_for(const Phase& phase, const Parameters& parameters);

at::Tensor positions_of(std::span<const data::Pick> picks);  // [b] int64

}  // namespace fresco::training

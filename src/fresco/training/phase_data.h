#pragma once
// What phases of every kind do with their data.
#include <memory>
#include <vector>

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

/// The part of a batch that a process takes: contiguous, of equal sizes where the batch divides.
std::vector<data::Pick> my_part(const std::vector<data::Pick>& batch, const Workers& workers);
/// Cut into parts of at most `size` samples; 0: one part.
std::vector<std::vector<data::Pick>> micro_batches(const std::vector<data::Pick>& picks, int64_t size);

at::Tensor positions_of(const std::vector<data::Pick>& picks);  // [b] int64
std::vector<int64_t> visits_of(const std::vector<data::Pick>& picks);

}  // namespace fresco::training

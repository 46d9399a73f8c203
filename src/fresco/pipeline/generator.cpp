#include "fresco/pipeline/generator.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "fresco/core/error.h"
#include "fresco/pipeline/noise_stream.h"

namespace fresco::pipeline {

Generator::Generator(uint64_t seed)
    : seed_(seed), impl_(std::make_shared<Impl>(Impl{at::detail::createCPUGenerator(seed)})) {}

Generator Generator::from_state(const std::vector<uint8_t>& state) {
  Generator generator(0);
  const auto wanted = generator.impl().torch.get_state().numel();
  if (static_cast<int64_t>(state.size()) != wanted)
    throw InputError("generator", expected_got(fmt::format("the state of a CPU generator, {} bytes", wanted),
                                               fmt::format("{} bytes", state.size())));
  const auto bytes = at::empty({wanted}, at::kByte);
  std::copy(state.begin(), state.end(), bytes.mutable_data_ptr<uint8_t>());
  try {
    generator.impl().torch.set_state(bytes);
    generator.seed_ = generator.impl().torch.current_seed();
  } catch (const c10::Error&) {
    throw InputError("generator", "expected the state of a CPU generator, got bytes that are none");
  }
  return generator;
}

std::vector<uint8_t> Generator::state() const {
  const std::scoped_lock lock(impl_->torch.mutex());
  const auto bytes = impl_->torch.get_state();
  return {bytes.const_data_ptr<uint8_t>(), bytes.const_data_ptr<uint8_t>() + bytes.numel()};
}

}  // namespace fresco::pipeline

#pragma once
// What a drawing stands on in this process: the libtorch that is loaded, and the devices that it reaches.
#include <string>

namespace fresco::pipeline {

struct Runtime {
  std::string libtorch;    // "2.11.0": the one that is loaded
  std::string built_with;  // the one whose headers fresco was compiled with
  int gpus = 0;            // NVIDIA GPUs that models can be loaded to
  std::string no_gpu;      // why there are none, in words; empty where there are
};

Runtime runtime();

}  // namespace fresco::pipeline

#include "compare_prompts.h"

namespace fresco::cli {
namespace {

constexpr int64_t kNarrowestClip = 512;  // the narrowest that OpenAI published, ViT-B/32's; Stable Diffusion's is 768

}  // namespace

std::vector<std::string> default_prompts(int64_t text_width) {
  if (text_width < kNarrowestClip) {
    return {"a large blue star on a yellow background",     "a red ring",
            "a green triangle above a purple square",       "a small orange cross on a black background",
            "a yellow circle to the left of a blue square", "a white star inside a red circle on a gray background",
            "a large purple triangle on a pink background", "a black ring below a green cross"};
  }
  // The first two are from the demonstrations that DeciDiffusion 1.0 was shown with (github.com/gradient-ai/DeciDiffusion), spelt as there.
  return {"A photo of an astronaut riding a horse on Mars",
          "A big owl with bright shinning eyes",
          "A lighthouse on a cliff in a storm, oil on canvas",
          "A bowl of ripe peaches on a wooden table, morning light",
          "A portrait of an old fisherman, black and white photograph",
          "A red bicycle leaning against a blue wall",
          "A castle above a misty valley, watercolor",
          "A robot reading a newspaper in a coffee house"};
}

}  // namespace fresco::cli

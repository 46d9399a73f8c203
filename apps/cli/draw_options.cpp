#include "draw_options.h"

#include <limits>

namespace fresco::cli {
namespace {

constexpr int kMost = std::numeric_limits<int>::max();
constexpr const char* kExamples = R"(Examples:
  fresco draw "a large blue star on a yellow background"
  fresco draw "a castle at dusk" --model runwayml/stable-diffusion-v1-5 --steps 30 --seed 7
  fresco draw "a red circle" "a green ring" --count 4 --grid --out sheet.png
  fresco draw "the same in winter" --init photo.jpg --strength 0.6
  fresco draw --like picture.png --guidance 5
A prompt that starts with a hyphen goes behind a lone --.)";

void declare_picture(CLI::App& app, DrawOptions& options) {
  Choices& c = options.choices;
  const char* group = "Picture";
  add_text(app, "--prompts", options.prompts_file, "FILE", "Read prompts from a file, one a line (# starts a comment)")
      ->group(group);
  add_text(app, "--negative", c.negative, "TEXT", "What the picture should not show")->group(group);
  add_integer(app, "--width", c.width, 1, kMost, "Width in pixels (default: the model's)")->group(group);
  add_integer(app, "--height", c.height, 1, kMost, "Height in pixels (default: the model's)")->group(group);
  const auto take_seed = [&options](const std::string& text) {
    options.seed_given = true;
    options.seed = parse_seed("--seed", text);
  };
  app.add_option_function<std::string>("--seed", take_seed,
                                       "First picture's seed; picture k has seed + k (default, or -1: random)")
      ->type_name("N")
      ->take_last()
      ->group(group);
  add_integer(app, "--count", options.count, 1, 100'000, "Pictures of each prompt (default 1)")->group(group);
  add_text(app, "--init", c.init, "PICTURE", "Start from this picture")->group(group);
  add_real(app, "--strength", c.strength, "How much of --init is redrawn, 0 to 1 (default 0.8; 1 with --mask)")
      ->group(group);
  add_text(app, "--mask", c.mask, "PICTURE", "Repaint only where this picture is white (with --init)")->group(group);
  add_text(app, "--like", options.like, "PICTURE", "Draw as this picture was drawn; options given beside it win")
      ->group(group);
}

void declare_model(CLI::App& app, DrawOptions& options) {
  Choices& c = options.choices;
  const char* group = "Model";
  add_text(
      app, "--model", c.model, "MODEL",
      "Folder, .safetensors or .ckpt file, file that `fresco pack` wrote,\nor hub id such as Deci/DeciDiffusion-v1-0\n"
      "(default: $FRESCO_MODEL, else the small model that comes with fresco)")
      ->group(group);
  add_text(app, "--revision", c.revision, "NAME", "Branch, tag or commit of a hub id (default main)")->group(group);
  add_text(app, "--config", c.config, "FOLDER", "Folder whose configs describe a single file")->group(group);
  add_text(app, "--vae", c.vae, "MODEL", "Another VAE: folder, file or hub id")->group(group);
}

void declare_sampling(CLI::App& app, DrawOptions& options) {
  Choices& c = options.choices;
  const char* group = "Sampling";
  add_integer(app, "--steps", c.steps, 1, 1000, "Steps of the sampler (default: the model's)")->group(group);
  add_text(app, "--sampler", c.sampler, "NAME", "One of `fresco samplers` (default: the model's)")->group(group);
  add_text(app, "--schedule", c.schedule, "NAME", "Noise schedule, such as karras")->group(group);
  add_real(app, "--eta", c.eta, "Noise added each step by ddim, 0 to 1 (default 0)")->group(group);
  add_text(app, "--squeeze", c.squeeze, "10,6|11,7", "Mode of the squeezed-dpmpp sampler")->group(group);
  add_real(app, "--guidance", c.guidance, "How closely to follow the prompt (default 7.5)")->group(group);
  add_real(app, "--guidance-rescale", c.guidance_rescale,
           "Rescaling of the guided output, 0 to 1 (default: the model's)")
      ->group(group);
  add_integer(app, "--clip-skip", c.clip_skip, 0, kMost,
              "Layers of the text encoder to leave out at its end (default 0)")
      ->group(group);
}

void declare_output(CLI::App& app, DrawOptions& options) {
  const char* group = "Output";
  add_text(app, "--out", options.out, "FILE",
           "A .png, .jpg or .webp file, or a folder (default: named by prompt and seed)")
      ->group(group);
  app.add_flag("--overwrite", options.overwrite, "Replace files that exist")->group(group);
  app.add_flag("--grid", options.grid, "Also write all pictures as one sheet, under the name that --out gives")
      ->group(group);
  add_text(app, "--save-latents", options.save_latents, "FILE",
           "Write latents and pictures as float32 tensors (safetensors)")
      ->group(group);
  add_text(app, "--preview", options.preview, "FILE", "Keep a rough picture of the work so far in this file")
      ->group(group);
  add_text(app, "--profile", options.profile, "[FILE.json]",
           "Tell where the time goes, and write it as a trace for Perfetto or chrome://tracing\n"
           "(default: beside the picture, picture.trace.json)")
      ->group(group);
  app.add_flag("--json", options.json, "Tell progress and results as JSON, an object a line, on standard output")
      ->group(group);
  app.add_flag("--quiet", options.quiet, "Print only warnings and errors")->group(group);
}

void declare_machine(CLI::App& app, DrawOptions& options) {
  Choices& c = options.choices;
  const char* group = "Machine";
  add_text(app, "--device", c.device, "auto|cpu|cuda", "Where to compute (default auto)")->group(group);
  add_text(app, "--precision", c.precision, "auto|f32|bf16|f16|int8|fast",
           "What is multiplied (default auto: f32, the exact picture, on a CPU; half on a GPU);\n"
           "fast: the quickest that this machine has")
      ->group(group);
  add_text(app, "--calibration", c.calibration, "FILE",
           "With int8 and fast: keep in bf16 what `fresco calibrate` found to need it\n"
           "(default: calibration.json in the model's folder, if there)")
      ->group(group);
  add_text(app, "--memory", c.memory, "fast|lean",
           "lean: leave weights in the model's file and read them anew for\n"
           "each use, decode large pictures in tiles (default fast)")
      ->group(group);
  add_integer(app, "--threads", c.threads, 1, 4096, "Threads of the CPU (default: all processors)")->group(group);
  add_integer(app, "--batch", options.batch, 1, 4096, "Pictures drawn at once (default: as memory allows)")
      ->group(group);
  add_text(app, "--ops", c.ops, "NAME",
           "Form of the operators: auto (default), amx, avx512-bf16, avx512, avx2, onednn, reference")
      ->group(group);
}

bool ends_in_json(const std::string& word) { return word.ends_with(".json") && word.front() != '-'; }

}  // namespace

Arguments with_profile_value(Arguments arguments) {
  for (size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
    const bool alone = i + 1 == arguments.size() || !ends_in_json(arguments[i + 1]);
    if (arguments[i] == "--profile" && alone) arguments[i] += std::string("=") + kBesidePicture;
  }
  return arguments;
}

void declare(CLI::App& app, DrawOptions& options) {
  declare_picture(app, options);
  declare_model(app, options);
  declare_sampling(app, options);
  declare_output(app, options);
  declare_machine(app, options);
  app.footer(kExamples);
}

}  // namespace fresco::cli

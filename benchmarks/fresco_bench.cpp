// Times the pieces of drawing, one JSON object a line. With --requests another program says what to run and when: so two programs
// can be timed in turns (compare.py).
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <map>

#include "fresco/core/error.h"
#include "fresco/core/json.h"
#include "fresco/core/memory.h"
#include "fresco/ops/profile_summary.h"
#include "pieces.h"

namespace fresco::benchmarks {
namespace {

constexpr int64_t kShownValues = 16;

struct Options {
  pipeline::LoadOptions load;
  int64_t size = 512, pictures = 1;
  int repeat = 3;
  int steps = 2;
  bool requests = false, profile = false;
  std::vector<std::string> pieces{"text", "bind", "unet", "vae", "load"};
};

void say(Json record) {
  record["side"] = "fresco";
  std::cout << record.dump() << std::endl;
}

// Shape and a few values, by which two programs can be seen to compute the same.
Json describe(const at::Tensor& output) {
  Json record = Json::object();
  if (output.defined()) {
    if (!at::isfinite(output).all().item<bool>()) throw FormatError("fresco_bench", "the output is not finite");
    const auto flat = output.contiguous().flatten();
    std::vector<float> values;
    for (int64_t i = 0; i < kShownValues; ++i) values.push_back(flat[i * flat.numel() / kShownValues].item<float>());
    record = {{"shape", output.sizes().vec()}, {"largest", flat.abs().max().item<float>()}, {"values", values}};
  }
  record["peak_memory_bytes"] = peak_memory_bytes();
  return record;
}

void answer_requests(Pieces& pieces) {
  say({{"ready", true}});
  for (std::string piece; std::getline(std::cin, piece);) {
    const Timing timing = pieces.run(piece);
    Json record = describe(timing.output);
    record["piece"] = piece;
    record["seconds"] = timing.seconds;
    record["load_seconds"] = timing.load_seconds;
    say(std::move(record));
  }
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

// One more run, added up by operator and by the shapes it is called with: a line each on standard error.
void profile(Pieces& pieces, const std::string& piece) {
  ops::Profiler profiler;
  const Timing timing = pieces.run(piece);
  std::map<std::string, ops::ProfileTotals> shapes;
  for (const auto& span : profiler.spans()) {
    if (span.kind != ops::SpanKind::op) continue;
    const auto name = fmt::format("{:<16} {:<12}", profiler.text(span.name), profiler.text(span.form));
    for (const auto& key : {name, fmt::format("{} {}", name, profiler.text(span.shape))}) {
      ops::ProfileTotals& totals = shapes[key];
      ++totals.calls;
      totals.seconds += span.seconds;
      totals.flops += span.flops;
      totals.bytes += span.bytes;
    }
  }
  std::cerr << fmt::format("{}: {:.3f} s\n", piece, timing.seconds);
  for (const auto& [key, totals] : shapes) {
    std::cerr << fmt::format("{:>7.1f} ms {:>5.1f} % {:>4} x {:>7.0f} GFLOP/s {:>6.1f} GB/s  {}\n",
                             totals.seconds * 1e3, 100 * totals.seconds / timing.seconds, totals.calls,
                             totals.flops_rate() / 1e9, totals.bytes_rate() / 1e9, key);
  }
}

void run_all(Pieces& pieces, const Options& options) {
  for (const auto& piece : options.pieces) {
    if (piece != "picture") pieces.run(piece);  // warm-up
    std::vector<double> seconds;
    Json record;
    for (int i = 0; i < options.repeat; ++i) {
      const Timing timing = pieces.run(piece);
      seconds.push_back(timing.seconds);
      record = describe(timing.output);
      if (piece == "picture") record["load_seconds"] = timing.load_seconds;
    }
    record["piece"] = piece;
    record["median"] = median(seconds);
    record["seconds"] = seconds;
    record["weight_bytes_f32"] = pieces.weight_bytes();
    say(std::move(record));
    if (options.profile) profile(pieces, piece);
  }
}

int run(int argc, char** argv) {
  Options options;
  std::string precision = "auto", memory = "fast";
  CLI::App app{"Times the pieces of drawing a picture, one JSON object a line"};
  app.add_option("--model", options.load.files.model, "Folder, single file or hub id")->required();
  app.add_option("--size", options.size, "Side of the picture in pixels")->capture_default_str();
  app.add_option("--pictures", options.pictures, "Pictures of one guided call, and decoded one after the other")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--repeat", options.repeat, "Timed runs of each piece")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--steps", options.steps, "Of the piece \"picture\"")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--threads", options.load.threads, "0: all processors")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
  app.add_option("--ops", options.load.ops, "Form of the operators, as in fresco draw")->capture_default_str();
  app.add_option("--precision", precision, "As in fresco draw")->capture_default_str();
  app.add_option("--memory", memory, "As in fresco draw")->capture_default_str();
  app.add_option("--pieces", options.pieces, "Any of: " + joined(piece_names()));
  app.add_flag("--profile", options.profile, "Also tell where the time of one more run went");
  app.add_flag("--requests", options.requests, "Run the pieces that standard input names, a line each");
  CLI11_PARSE(app, argc, argv);
  options.load.precision = parse_precision(precision);
  options.load.memory = parse_memory(memory);
  if (options.load.threads > 0) at::set_num_threads(options.load.threads);
  Pieces pieces(options.load, options.size, options.steps, options.pictures);
  if (options.requests) {
    answer_requests(pieces);
  } else {
    run_all(pieces, options);
  }
  return 0;
}

}  // namespace
}  // namespace fresco::benchmarks

int main(int argc, char** argv) {
  try {
    return fresco::benchmarks::run(argc, argv);
  } catch (const fresco::Error& error) {
    std::cerr << "fresco_bench: " << error.what() << '\n';
    return static_cast<int>(error.exit_status());
  } catch (const std::exception& error) {
    std::cerr << "fresco_bench: " << error.what() << '\n';
    return 1;
  }
}

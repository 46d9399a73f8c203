#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "commands.h"
#include "fresco/core/error.h"
#include "fresco/core/files.h"
#include "fresco/core/memory.h"
#include "fresco/core/names.h"
#include "fresco/data/shapes.h"
#include "fresco/data/tar_writer.h"
#include "fresco/image/read_write.h"
#include "reporter.h"

namespace fresco::cli {
namespace {

namespace fs = std::filesystem;
namespace shapes = data::shapes;
using Clock = std::chrono::steady_clock;

constexpr const char* kExamples = R"(Examples:
  fresco data shapes --count 20000 --out shapes
  fresco data shapes --count 20000 --shards 5000 --out shards
  fresco data shapes --count 500 --split held_out --out held-out)";

struct Options {
  std::optional<int64_t> count, size, shards;
  std::optional<std::string> out, seed, split;
  bool overwrite = false, json = false, quiet = false;
};

void declare(CLI::App& app, Options& options) {
  add_integer(app, "--count", options.count, 1, 100'000'000, "Pictures (default 1000)");
  add_text(app, "--seed", options.seed, "N", "Another seed, other pictures (default 0)");
  add_integer(app, "--size", options.size, 8, 4096, "Side of a picture in pixels (default 128)");
  add_text(app, "--out", options.out, "FOLDER", "Where they go: a new or empty folder");
  add_integer(
      app, "--shards", options.shards, 1, 1'000'000,
      "Write webdataset tar shards of so many pictures each\n(default: a folder of pictures with .txt beside them)");
  add_text(app, "--split", options.split, "training|unseen|held_out",
           "Which scenes (default training); the others never occur in it:\nunseen combinations, and shapes in colours "
           "held out");
  app.add_flag("--overwrite", options.overwrite, "Write into a folder that is not empty");
  app.add_flag("--json", options.json, "Tell progress and the result as JSON, an object a line");
  app.add_flag("--quiet", options.quiet, "Print only warnings and errors");
  app.footer(kExamples);
}

struct Job {
  fs::path folder;
  int64_t count = 1000, size = 128, shards = 0;
  uint64_t seed = 0;
  shapes::Split split = shapes::Split::training;
};

shapes::Split parse_split(const std::string& word) {
  const auto* found = std::ranges::find(shapes::kSplitNames, word);
  if (found == shapes::kSplitNames.end())
    throw InputError("--split", expected_got("training, unseen or held_out", '"' + printable(word, 60) + '"'));
  return static_cast<shapes::Split>(found - shapes::kSplitNames.begin());
}

void make_folder(const fs::path& folder, bool overwrite) {
  const std::string where = fmt::format("--out {}", folder.string());
  std::error_code failed;
  if (fs::exists(folder, failed) && !fs::is_directory(folder, failed))
    throw InputError(where, "expected a folder, got a file");
  fs::create_directories(folder, failed);
  if (failed) throw InputError(where, "cannot make this folder: " + failed.message());
  const bool empty = fs::is_empty(folder, failed);
  if (failed) throw InputError(where, "cannot read this folder: " + failed.message());
  if (!empty && !overwrite) throw InputError(where, "the folder is not empty; --overwrite writes into it");
}

Job job_of(const Options& options) {
  if (!options.out) throw InputError("--out", "expected the name of a folder, got nothing");
  Job job;
  job.folder = *options.out;
  job.count = options.count.value_or(job.count);
  job.size = options.size.value_or(job.size);
  job.shards = options.shards.value_or(0);
  if (options.seed) {
    const auto seed = parse_seed("--seed", *options.seed);
    if (!seed) throw InputError("--seed", expected_got("an integer from 0 on", '"' + printable(*options.seed) + '"'));
    job.seed = *seed;
  }
  if (options.split) job.split = parse_split(*options.split);
  make_folder(job.folder, options.overwrite);
  return job;
}

/// A file among thousands: written without waiting for the disk.
void write_plainly(const fs::path& file, std::string_view bytes) {
  std::ofstream stream(file, std::ios::binary | std::ios::trunc);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  stream.close();
  if (!stream) throw ResourceError(file.string(), "cannot write: is the disk full, the folder writable?");
}

class ShapesRun {
 public:
  ShapesRun(const Job& job, Reporter& reporter) : job_(job), reporter_(reporter) {}

  void run() {
    if (job_.shards > 0)
      write_shards();
    else
      write_folder();
  }

 private:
  struct Made {
    std::string key, picture, caption;
    Json attributes;
  };

  Made make(int64_t index) {
    check_cancelled(reporter_);
    const shapes::Scene scene = shapes::scene(job_.seed, static_cast<uint64_t>(index), job_.split);
    Made made{fmt::format("{:06}", index), image::encode_picture(".png", shapes::draw_scene(scene, job_.size)),
              scene.caption, shapes::attributes(scene)};
    report(index + 1);
    return made;
  }

  void report(int64_t done) {
    if (done * 100 / job_.count == told_ && done != job_.count) return;
    told_ = done * 100 / job_.count;
    const auto now = Clock::now();
    reporter_.on_step({static_cast<int>(done), static_cast<int>(job_.count),
                       std::chrono::duration<double>(now - last_).count() / static_cast<double>(done - done_)});
    last_ = now;
    done_ = done;
  }

  void write_folder() {
    AtomicFile metadata(job_.folder / "metadata.jsonl");
    for (int64_t i = 0; i < job_.count; ++i) {
      const Made made = make(i);
      write_plainly(job_.folder / (made.key + ".png"), made.picture);
      write_plainly(job_.folder / (made.key + ".txt"), made.caption + "\n");
      Json line = made.attributes;
      line["file_name"] = made.key + ".png";
      line["text"] = made.caption;
      metadata.write(line.dump() + "\n");
    }
    metadata.commit(true);
  }

  void write_shards() {
    const int64_t shards = (job_.count + job_.shards - 1) / job_.shards;
    for (int64_t shard = 0; shard < shards; ++shard) {
      AtomicFile file(job_.folder / fmt::format("{:05}.tar", shard));
      for (int64_t i = shard * job_.shards; i < std::min(job_.count, (shard + 1) * job_.shards); ++i) {
        const Made made = make(i);
        file.write(data::tar_member(made.key + ".png", made.picture));
        file.write(data::tar_member(made.key + ".txt", made.caption));
        file.write(data::tar_member(made.key + ".json", made.attributes.dump()));
      }
      file.write(data::tar_end());
      file.commit(true);
    }
  }

  const Job& job_;
  Reporter& reporter_;
  Clock::time_point last_ = Clock::now();
  int64_t done_ = 0, told_ = 0;
};

}  // namespace

void data_shapes_command(const Arguments& arguments) {
  CLI::App app(
      "Draws flat shapes on flat backgrounds with captions such as \"a red ring above a blue star, yellow "
      "background\":\n"
      "a data set that every machine can make, the same pictures for the same seed.",
      "fresco data shapes");
  Options options;
  declare(app, options);
  Operands none;
  if (!parse(app, arguments, none)) return;
  const auto start = Clock::now();
  const auto reporter = make_reporter(report_style(options.json, options.quiet));
  const Job job = job_of(options);
  ShapesRun(job, *reporter).run();
  reporter->on_done({{"files", {job.folder.string()}},
                     {"seconds", std::chrono::duration<double>(Clock::now() - start).count()},
                     {"peak_memory_bytes", peak_memory_bytes()},
                     {"settings",
                      {{"count", job.count},
                       {"seed", job.seed},
                       {"size", job.size},
                       {"split", shapes::kSplitNames[shapes::index_of(job.split)]}}}});
}

}  // namespace fresco::cli

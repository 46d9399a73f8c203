#include "fresco/data/prepare_cache.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "fresco/core/error.h"
#include "fresco/core/sha256.h"
#include "fresco/data/cache_plan.h"
#include "fresco/data/folder_lock.h"
#include "fresco/data/prefetch.h"
#include "fresco/pipeline/torch_errors.h"

namespace fresco::data {
namespace {

namespace fs = std::filesystem;

constexpr int kMostWarnings = 5;  // samples named on the way; index.json names more

std::string pictures_hash(const PictureSet& pictures) {
  Sha256 hash;
  for (const Bucket& bucket : pictures.buckets()) {
    hash.update(fmt::format("{} {}\n", bucket.height, bucket.width));
    for (const int64_t position : bucket.positions) {
      hash.update(pictures.key(position));
      hash.update(std::string_view("\0", 1));
      try {
        hash.update(pictures.caption(position));
      } catch (const FormatError&) {
        hash.update(std::string_view("\0", 1));  // skipped later
      }
      hash.update(std::string_view("\n"));
    }
  }
  return hash.hex();
}

int reading_threads(const CacheSettings& settings, bool on_cpu) {
  if (settings.threads > 0) return settings.threads;
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  return on_cpu ? std::clamp(cores / 4, 1, 8) : std::clamp(cores - 1, 1, 16);
}

int64_t encoded_at_once(const CacheSettings& settings, const Bucket& bucket, bool on_cpu) {
  if (settings.batch > 0) return settings.batch;
  // On a CPU the encoder's activations of more pixels leave the caches; a GPU wants more to do at once.
  const int64_t pixels = on_cpu ? 256 * 1024 : 4096 * 1024;
  return std::clamp<int64_t>(pixels / std::max<int64_t>(bucket.height * bucket.width, 1), 1, 64);
}

// Samples that go through the VAE together.
struct Batch {
  at::Tensor pictures;            // [b, 3, H, W]; undefined when none can be used
  std::vector<SampleLine> lines;  // b of them
  std::vector<SampleLine> skipped;
  std::vector<int32_t> ids;  // b * 77
};

// Without libtorch's loops, which would gather a pool of threads for each thread that reads.
at::Tensor stacked(const std::vector<at::Tensor>& pictures) {
  const int64_t each = pictures[0].numel();
  at::Tensor all =
      at::empty({static_cast<int64_t>(pictures.size()), 3, pictures[0].size(1), pictures[0].size(2)}, at::kFloat);
  float* to = all.data_ptr<float>();
  for (const at::Tensor& picture : pictures) to = std::copy_n(picture.contiguous().const_data_ptr<float>(), each, to);
  return all;
}

// Where a batch comes from.
struct Portion {
  size_t shard = 0;
  int64_t first = 0, count = 0;  // samples of the shard's bucket
};

class Preparing {
 public:
  Preparing(const PictureSet& pictures, const Encoders& encoders, const CacheSettings& settings, Observer& observer)
      : pictures_(pictures),
        encoders_(encoders),
        settings_(settings),
        observer_(observer),
        index_{.origin = origin_of(pictures, encoders, settings)},
        plan_(plan_shards(index_.origin)) {}

  CacheReport run() {
    const auto start = std::chrono::steady_clock::now();
    make_folder();
    const FolderLock lock(settings_.out);
    claim_folder(settings_.out, index_.origin, settings_.overwrite);
    const CacheIndex found = read_cache_index(settings_.out);
    index_.shards = whole_shards(settings_.out, index_.origin, plan_, settings_.verify || !found.complete, observer_);
    if (found.complete && missing().empty())
      use(found);
    else
      make_missing();
    report_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return report_;
  }

 private:
  const Bucket& bucket_of(size_t shard) const { return pictures_.buckets()[static_cast<size_t>(plan_[shard].bucket)]; }

  void make_folder() const {
    std::error_code error;
    fs::create_directories(settings_.out, error);
    if (!fs::is_directory(settings_.out))
      throw InputError(settings_.out.string(), "expected a folder or a name for one");
  }

  void use(const CacheIndex& found) {
    index_ = found;
    for (const CacheShard& shard : index_.shards) report_.samples += shard.samples;
    report_.skipped = index_.skipped_count;
    require_samples();
  }

  void make_missing() {
    require_disk(settings_.out, index_.origin, plan_, index_.shards);
    encode_missing();
    finish();
  }

  std::vector<Portion> missing() const {
    std::vector<Portion> portions;
    for (size_t i = 0; i < plan_.size(); ++i) {
      if (!index_.shards[i].file.empty()) continue;
      const int64_t most = encoded_at_once(settings_, bucket_of(i), encoders_.on_cpu);
      const int64_t end = plan_[i].first + plan_[i].count;
      for (int64_t first = plan_[i].first; first < end; first += most)
        portions.push_back({i, first, std::min(most, end - first)});
    }
    return portions;
  }

  void encode_missing() {
    const auto portions = missing();
    for (const Portion& portion : portions) total_ += static_cast<uint64_t>(portion.count * bytes_each(portion.shard));
    Prefetch<Batch> batches(0, static_cast<int64_t>(portions.size()), reading_threads(settings_, encoders_.on_cpu),
                            /*ahead=*/reading_threads(settings_, encoders_.on_cpu) + 1,
                            [&](int64_t i) { return read(portions[static_cast<size_t>(i)]); });
    ShardContent content;
    for (size_t i = 0; i < portions.size(); ++i) {
      check_cancelled(observer_);
      observer_.on_transfer({"prepare latents", done_, total_});
      const size_t shard = portions[i].shard;
      content.bucket = plan_[shard].bucket;
      take(batches.next(), portions[i], content);
      if (i + 1 < portions.size() && portions[i + 1].shard == shard) continue;
      write(shard, content);
      content = {};
    }
    observer_.on_transfer({"prepare latents", total_, total_});
    report_.seconds_waited = batches.seconds_waited();
  }

  int64_t bytes_each(size_t shard) const {
    const auto& bucket = index_.origin.buckets[static_cast<size_t>(plan_[shard].bucket)];
    return moments_of(index_.origin, bucket) * (settings_.mirrored ? 4 : 2);
  }

  // ---- In the reading threads

  Batch read(const Portion& portion) const {
    const c10::InferenceMode no_gradients;
    const Bucket& bucket = bucket_of(portion.shard);
    Batch batch;
    std::vector<at::Tensor> pictures;
    for (int64_t i = portion.first; i < portion.first + portion.count; ++i) {
      const int64_t position = bucket.positions[static_cast<size_t>(i)];
      SampleLine line{.key = pictures_.key(position), .position = position};
      try {
        line.caption = pictures_.caption(position);
        auto picture = usable_picture(position, bucket);
        const auto ids = caption_ids(encoders_.tokenizer, line.caption);
        pictures.push_back(std::move(picture));
        batch.ids.insert(batch.ids.end(), ids.begin(), ids.end());
        batch.lines.push_back(std::move(line));
      } catch (const FormatError& error) {
        line.skipped = error.what();
        batch.skipped.push_back(std::move(line));
      }
    }
    if (!pictures.empty()) batch.pictures = stacked(pictures);
    return batch;
  }

  at::Tensor usable_picture(int64_t position, const Bucket& bucket) const {
    at::Tensor picture = pictures_.picture(position, /*mirrored=*/false);
    if (picture.sizes() != at::IntArrayRef({3, bucket.height, bucket.width}))
      throw FormatError(pictures_.key(position),
                        fmt::format("expected a picture of {}x{}", bucket.width, bucket.height));
    return picture;
  }

  // ---- In the calling thread

  void take(const Batch& batch, const Portion& portion, ShardContent& content) {
    for (const SampleLine& line : batch.skipped) warn(line);
    for (const SampleLine& line : batch.lines) content.lines += to_line(line);
    for (const SampleLine& line : batch.skipped) content.lines += to_line(line);
    content.ids.insert(content.ids.end(), batch.ids.begin(), batch.ids.end());
    content.samples += static_cast<int64_t>(batch.lines.size());
    report_.encoded += static_cast<int64_t>(batch.lines.size());
    done_ += static_cast<uint64_t>(portion.count * bytes_each(portion.shard));
    if (!batch.pictures.defined()) return;
    append(batch, batch.pictures, content.moments);
    if (settings_.mirrored) append(batch, batch.pictures.flip({3}), content.mirrored);
  }

  void append(const Batch& batch, const at::Tensor& pictures, std::vector<uint16_t>& to) const {
    const c10::InferenceMode no_gradients;
    const at::Tensor moments = encoders_.vae.encode(pictures).to(at::kCPU, at::kHalf).contiguous();
    require_finite(moments, batch);
    const auto* halves = reinterpret_cast<const uint16_t*>(moments.data_ptr<at::Half>());
    to.insert(to.end(), halves, halves + moments.numel());
  }

  static void require_finite(const at::Tensor& moments, const Batch& batch) {
    const at::Tensor finite = moments.isfinite().flatten(1).all(1);
    for (size_t i = 0; i < batch.lines.size(); ++i)
      if (!finite[static_cast<int64_t>(i)].item<bool>())
        throw FormatError(batch.lines[i].key,
                          "the VAE's latents of it are not finite in float16; expected another --precision or VAE");
  }

  void warn(const SampleLine& line) {
    if (++warned_ <= kMostWarnings) observer_.on_warning(fmt::format("skipped {}", line.skipped));
  }

  void write(size_t shard, const ShardContent& content) {
    try {
      index_.shards[shard] = write_shard(settings_.out, shard_name(shard), index_.origin, content);
    } catch (const ResourceError& error) {
      const auto done = std::ranges::count_if(index_.shards, [](const CacheShard& one) { return !one.file.empty(); });
      throw ResourceError(
          error.where(),
          fmt::format("{}; {} of {} shards are done and stay, the same command goes on from there",
                      std::string_view(error.what()).substr(error.where().size() + 2), done, plan_.size()));
    }
  }

  void finish() {
    for (const CacheShard& facts : index_.shards) {
      report_.samples += facts.samples;
      for (auto& line : read_lines(open_shard(settings_.out / facts.file, index_.origin))) {
        if (line.skipped.empty()) continue;
        ++index_.skipped_count;
        if (index_.skipped.size() < kMostNamed)
          index_.skipped.push_back({std::move(line.key), std::move(line.skipped)});
      }
    }
    report_.skipped = index_.skipped_count;
    if (warned_ > kMostWarnings)
      observer_.on_warning(fmt::format("skipped {} samples more; {} names them", warned_ - kMostWarnings,
                                       (settings_.out / kCacheIndex).string()));
    index_.complete = true;
    write_cache_index(settings_.out, index_);
    require_samples();
  }

  void require_samples() const {
    if (report_.samples == 0) throw InputError(settings_.out.string(), none_usable());
  }

  std::string none_usable() const {
    if (index_.skipped.empty()) return "there are no pictures to prepare";
    return fmt::format("none of {} samples can be used; the first: {}", index_.skipped_count, index_.skipped[0].reason);
  }

  const PictureSet& pictures_;
  const Encoders& encoders_;
  const CacheSettings& settings_;
  Observer& observer_;
  CacheIndex index_;  // shards: parallel to plan_
  std::vector<PlannedShard> plan_;
  CacheReport report_;
  uint64_t done_ = 0, total_ = 0;  // bytes of moments
  int warned_ = 0;
};

}  // namespace

CacheOrigin origin_of(const PictureSet& pictures, const Encoders& encoders, const CacheSettings& settings) {
  const auto& spec = encoders.vae.spec();
  CacheOrigin origin{.vae_hash = encoders.vae_hash,
                     .tokenizer_hash = encoders.tokenizer_hash,
                     .pictures_hash = pictures_hash(pictures),
                     .precision = encoders.precision,
                     .latent_channels = spec.latent_channels,
                     .mirrored = settings.mirrored,
                     .shard_bytes = settings.shard_bytes};
  for (const Bucket& bucket : pictures.buckets()) {
    const int64_t scale = spec.scale();
    if (bucket.height < scale || bucket.width < scale || bucket.height % scale != 0 || bucket.width % scale != 0)
      throw InputError("resolution", fmt::format("expected sides that {} divides, which the VAE can take; got {}x{}",
                                                 scale, bucket.width, bucket.height));
    origin.buckets.push_back({bucket.height, bucket.width, bucket.height / scale, bucket.width / scale,
                              static_cast<int64_t>(bucket.positions.size())});
  }
  return origin;
}

CacheReport prepare_cache(const PictureSet& pictures, const Encoders& encoders, const CacheSettings& settings,
                          Observer& observer) {
  return pipeline::with_plain_errors([&] { return Preparing(pictures, encoders, settings, observer).run(); });
}

}  // namespace fresco::data

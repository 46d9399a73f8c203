#include "fresco/training/workers.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <utility>
#include <vector>

#include "fresco/core/error.h"
#include "fresco/core/sha256.h"
#include "fresco/training/backend.h"
#include "fresco/training/peers.h"

namespace fresco::training {
namespace {

// Gloo writes to connections of processes that may have ended: that is to be an error there, not the end of this process.
void survive_broken_connections() {
  struct sigaction action {};
  if (sigaction(SIGPIPE, nullptr, &action) == 0 && action.sa_handler == SIG_DFL) std::signal(SIGPIPE, SIG_IGN);
}

}  // namespace

/// The engines of a job. With exchanges still under way they are left as they are: they cannot be stopped, and ending
/// them waits for every timeout.
struct Workers::Job {
  Job(const JobPlace& own, const WorkersSettings& settings)
      : place(own),
        store(open_store(place, settings.timeout)),
        peers(store, place, settings.timeout, settings.silence) {
    cpu = make_gloo(store, place, settings.timeout);
    if (settings.gpu) gpu = make_nccl(store, place, settings.timeout);
  }
  ~Job() {
    if (under_way == 0 && !peers.failed()) return;
    (void)cpu.release();
    (void)gpu.release();
  }
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  c10d::Backend& engine(const at::Tensor& tensor) const {
    TORCH_CHECK(tensor.is_contiguous(), "exchanged tensors are contiguous");
    TORCH_CHECK(!tensor.is_cuda() || gpu, "WorkersSettings::gpu was not set");
    return tensor.is_cuda() ? *gpu : *cpu;
  }

  JobPlace place;
  c10::intrusive_ptr<c10d::Store> store;
  Peers peers;
  c10::intrusive_ptr<c10d::Backend> cpu, gpu;
  std::atomic<int> under_way = 0;
  int alone = 0;  // calls of first_alone()
};

struct Pending::Exchange {
  std::shared_ptr<Workers::Job> job;
  c10::intrusive_ptr<c10d::Work> work;
  c10::intrusive_ptr<c10::ivalue::Future> future;
  std::string what;
};

namespace {

constexpr int64_t kShardStep = 64;                  // elements: whole cache lines and vectors in every share
constexpr int64_t kGatherPiece = int64_t{1} << 22;  // elements: what all_gather copies at once

/// What the engines say, without stack traces and places in their sources, which say nothing to a user.
std::string text_of(const std::exception& error) {
  const auto* own = dynamic_cast<const c10::Error*>(&error);
  const std::string text = own != nullptr ? own->what_without_backtrace() : error.what();
  const size_t end = text.starts_with("[/") ? text.find("] ") : std::string::npos;
  return end == std::string::npos ? text : text.substr(end + 2);
}

}  // namespace

void Pending::wait() {
  if (!exchange_) return;
  const auto exchange = std::exchange(exchange_, nullptr);
  Peers& peers = exchange->job->peers;
  peers.wait([&] { return exchange->future->completed(); });
  try {
    exchange->work->wait();
    --exchange->job->under_way;
  } catch (const std::exception& error) {
    peers.fail(exchange->what + ": " + text_of(error));
  }
}

Pending Workers::start(const char* verb, const at::Tensor& tensor,
                       const std::function<c10::intrusive_ptr<c10d::Work>(c10d::Backend&)>& call) const {
  job_->peers.count();
  ++job_->under_way;
  auto exchange = std::make_shared<Pending::Exchange>();
  exchange->job = job_;
  exchange->what = fmt::format("{} of {:.1f} MB", verb, static_cast<double>(tensor.nbytes()) / 1e6);
  try {
    exchange->work = call(job_->engine(tensor));
    exchange->future = exchange->work->getFuture();
  } catch (const std::exception& error) {
    job_->peers.fail(exchange->what + ": " + text_of(error));
  }
  // The callback may come after the job has ended.
  exchange->future->addCallback([job = std::weak_ptr(job_)](c10::ivalue::Future&) {
    if (const auto still = job.lock()) still->peers.ring();
  });
  Pending pending;
  pending.exchange_ = std::move(exchange);
  return pending;
}

Workers Workers::from_environment(const WorkersSettings& settings) {
  return join(job_place_from_environment(), settings);
}

Workers Workers::join(const JobPlace& place, const WorkersSettings& settings) {
  Workers workers;
  if (place.size <= 1) return workers;
  survive_broken_connections();
  workers.job_ = std::make_shared<Job>(place, settings);
  return workers;
}

int Workers::rank() const { return job_ ? job_->place.rank : 0; }
int Workers::size() const { return job_ ? job_->place.size : 1; }

Pending Workers::all_reduce(const at::Tensor& tensor) const {
  if (!job_) return {};
  return start("the sum", tensor, [&](c10d::Backend& engine) {
    std::vector<at::Tensor> tensors{tensor};
    return engine.allreduce(tensors);
  });
}

Pending Workers::reduce(const at::Tensor& tensor, int root) const {
  if (!job_) return {};
  return start("the sum", tensor, [&](c10d::Backend& engine) {
    std::vector<at::Tensor> tensors{tensor};
    c10d::ReduceOptions options;
    options.rootRank = root;
    return engine.reduce(tensors, options);
  });
}

Pending Workers::broadcast(const at::Tensor& tensor, int root) const {
  if (!job_) return {};
  return start("a copy", tensor, [&](c10d::Backend& engine) {
    std::vector<at::Tensor> tensors{tensor};
    c10d::BroadcastOptions options;
    options.rootRank = root;
    return engine.broadcast(tensors, options);
  });
}

void Workers::all_gather(const at::Tensor& flat) const {
  if (!job_) return;
  const Shard last = shard_of(flat.numel(), size() - 1, size());
  const int64_t share = shard_of(flat.numel(), 0, size()).end;  // equal ones; the last has a rest beyond it
  // In pieces: the engines gather into memory of their own before they copy.
  const int64_t piece = std::max<int64_t>(kGatherPiece / size(), 1);
  for (int64_t at = 0; at < share; at += piece) {
    const int64_t count = std::min(piece, share - at);
    std::vector<at::Tensor> own{flat.narrow(0, rank() * share + at, count).clone()};
    std::vector<std::vector<at::Tensor>> all(1);
    for (int other = 0; other < size(); ++other) all[0].push_back(flat.narrow(0, other * share + at, count));
    start("the shares", own[0], [&](c10d::Backend& engine) { return engine.allgather(all, own); }).wait();
  }
  const int64_t rest = last.begin + share;
  if (rest < last.end) broadcast(flat.narrow(0, rest, last.end - rest), size() - 1).wait();
}

void Workers::barrier() const {
  double nothing = 0;
  all_reduce({&nothing, 1});
}

void Workers::all_reduce(std::span<double> values) const {
  if (!job_ || values.empty()) return;
  // A copy: an exchange that failed may still write into its tensor.
  const auto count = static_cast<int64_t>(values.size());
  const auto copy = at::from_blob(values.data(), {count}, at::kDouble).clone();
  all_reduce(copy).wait();
  std::copy_n(copy.const_data_ptr<double>(), count, values.data());
}

void Workers::expect_same(std::string_view what, std::string_view value) const {
  if (!job_) return;
  const std::string own = sha256_hex(value);
  const auto mine = at::empty({static_cast<int64_t>(own.size())}, at::kByte);
  std::copy(own.begin(), own.end(), mine.mutable_data_ptr<uint8_t>());
  const auto first = mine.clone();
  broadcast(first, 0).wait();
  std::vector<double> differs(size());
  differs[rank()] = at::equal(mine, first) ? 0 : 1;
  all_reduce(differs);
  std::vector<int> others;
  for (int other = 0; other < size(); ++other) {
    if (differs[other] != 0) others.push_back(other);
  }
  if (!others.empty()) throw InputError(what, fmt::format("differs between process 0 and {}", fmt::join(others, ", ")));
}

void Workers::first_alone(const std::function<void()>& work, const std::function<void()>& meanwhile) const {
  if (!job_) return work();
  const std::string done = fmt::format("alone/{}", ++job_->alone);
  if (!first()) return job_->peers.await(done, meanwhile);
  try {
    work();
  } catch (const std::exception& error) {
    give_up(error.what());
    throw;
  }
  job_->peers.announce(done);
}

void Workers::give_up(const std::string& reason) const {
  if (job_) job_->peers.give_up(reason);
}

Shard shard_of(int64_t count, int rank, int size) {
  const int64_t share = count / size / kShardStep * kShardStep;
  return {rank * share, rank == size - 1 ? count : (rank + 1) * share};
}

}  // namespace fresco::training

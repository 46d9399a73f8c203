#include "fresco/training/gradient_buckets.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <tuple>
#include <utility>

namespace fresco::training {
namespace {

/// A leaf's gradient in the flat gradient of its network.
struct Slot {
  size_t network = 0;
  int64_t begin = 0;
  at::Tensor leaf;
};

/// A stretch [begin, end) of a network's flat gradient, and the slots in it.
struct Bucket {
  size_t network = 0;
  int64_t begin = 0, end = 0;
  std::vector<size_t> slots;
  int64_t missing = 0;  // additions still to come in this backward pass
};

}  // namespace

struct GradientBuckets::State {
  Workers workers;
  std::vector<at::Tensor> flats;  // of each network
  std::vector<Slot> slots;        // by network and place
  BucketSettings settings;

  std::vector<int64_t> expected, seen;  // additions to each slot in an armed backward pass
  std::vector<double> last_turn;        // of the learning pass: when the slot's last addition came
  int64_t turn = 0;
  std::vector<Bucket> buckets;  // in the order in which they are sent, everywhere the same; empty until learnt
  std::vector<size_t> bucket_of;
  std::vector<Pending> pending;
  size_t next = 0;  // the bucket to be sent next
  int early = 0;
  bool armed = false;

  void added(size_t slot);
  void learn();
  void send_ready();
  void send(const Bucket& bucket);
};

namespace {

/// Told by autograd each time a gradient has been added to parameter.grad().
struct Hook : torch::autograd::PostAccumulateGradHook {
  Hook(std::function<void()> call) : call(std::move(call)) {}
  void operator()(const at::Tensor& /*parameter*/) override { call(); }
  std::function<void()> call;
};

/// Cuts the slots, taken in the order of their place or against it, into stretches of at most `bytes`.
std::vector<Bucket> cut(const std::vector<Slot>& slots, const std::vector<at::Tensor>& flats,
                        const BucketSettings& settings, bool backwards) {
  std::vector<Bucket> buckets;
  int64_t room = 0;
  for (size_t i = 0; i < slots.size(); ++i) {
    const size_t at = backwards ? slots.size() - 1 - i : i;
    const Slot& slot = slots[at];
    const at::Tensor& flat = flats[slot.network];
    // What lies between two slots goes with the one before it.
    const bool first = at == 0 || slots[at - 1].network != slot.network;
    const bool last = at + 1 == slots.size() || slots[at + 1].network != slot.network;
    const int64_t begin = first ? 0 : slot.begin, end = last ? flat.numel() : slots[at + 1].begin;
    const int64_t bytes = (end - begin) * flat.element_size();
    if (buckets.empty() || buckets.back().network != slot.network || bytes > room) {
      room = buckets.empty() ? settings.first_bytes : settings.bytes;
      buckets.push_back({slot.network, begin, end, {}, 0});
    }
    room -= bytes;
    Bucket& bucket = buckets.back();
    bucket.begin = std::min(bucket.begin, begin);
    bucket.end = std::max(bucket.end, end);
    bucket.slots.push_back(at);
  }
  return buckets;
}

}  // namespace

GradientBuckets::GradientBuckets(Workers workers, const std::vector<GradientSet>& networks,
                                 const BucketSettings& settings)
    : state_(std::make_shared<State>()) {
  State& state = *state_;
  state.workers = std::move(workers);
  state.settings = settings;
  for (const GradientSet& network : networks) {
    TORCH_CHECK(network.flat.dim() == 1 && network.flat.is_contiguous(), "a flat gradient is one contiguous row");
    for (const at::Tensor& leaf : network.leaves) {
      TORCH_CHECK(leaf.grad().is_alias_of(network.flat), "a leaf's gradient lies in the flat one");
      state.slots.push_back({state.flats.size(), leaf.grad().storage_offset() - network.flat.storage_offset(), leaf});
    }
    state.flats.push_back(network.flat);
  }
  std::sort(state.slots.begin(), state.slots.end(),
            [](const Slot& a, const Slot& b) { return std::tie(a.network, a.begin) < std::tie(b.network, b.begin); });
  state.expected.resize(state.slots.size());
  state.last_turn.resize(state.slots.size());
  if (state.workers.size() == 1) return;
  for (size_t slot = 0; slot < state.slots.size(); ++slot) {
    // The leaf keeps the hook, and this object the leaf.
    auto call = [weak = std::weak_ptr(state_), slot] {
      if (const auto still = weak.lock()) still->added(slot);
    };
    torch::autograd::impl::set_post_acc_grad_hooks(state.slots[slot].leaf, std::make_unique<Hook>(std::move(call)));
  }
}

GradientBuckets::~GradientBuckets() {
  if (state_->workers.size() == 1) return;
  for (const Slot& slot : state_->slots) torch::autograd::impl::set_post_acc_grad_hooks(slot.leaf, nullptr);
}

void GradientBuckets::arm() {
  State& state = *state_;
  state.armed = true;
  state.seen.assign(state.slots.size(), 0);
  state.pending.clear();  // of a backward pass that was broken off
  state.next = 0;
  state.early = 0;
  for (Bucket& bucket : state.buckets) {
    bucket.missing = 0;
    for (const size_t slot : bucket.slots) bucket.missing += state.expected[slot];
  }
}

void GradientBuckets::finish() {
  State& state = *state_;
  state.armed = false;
  if (state.workers.size() == 1) return;
  state.early = static_cast<int>(state.next);
  if (state.buckets.empty()) state.learn();
  for (; state.next < state.buckets.size(); ++state.next) state.send(state.buckets[state.next]);
  for (Pending& pending : state.pending) pending.wait();
  state.pending.clear();
}

int GradientBuckets::sent_early() const { return state_->early; }
int GradientBuckets::count() const { return static_cast<int>(state_->buckets.size()); }

void GradientBuckets::State::added(size_t slot) {
  if (!armed) return;
  ++seen[slot];
  last_turn[slot] = static_cast<double>(++turn);
  if (buckets.empty()) return;
  if (seen[slot] > expected[slot]) {
    throw std::logic_error(
        "a parameter is used more often than in the first step: its gradient may have been sent already");
  }
  --buckets[bucket_of[slot]].missing;
  send_ready();
}

/// In the order of the buckets, even when a later one is complete before: all processes must send in the same order.
void GradientBuckets::State::send_ready() {
  for (; next < buckets.size() && buckets[next].missing == 0; ++next) send(buckets[next]);
}

/// What process 0 saw goes for all, so that they cut and order alike: the others add nothing to it.
void GradientBuckets::State::learn() {
  expected = seen;
  if (slots.empty()) return;
  if (!workers.first()) std::fill(last_turn.begin(), last_turn.end(), 0);
  workers.all_reduce(last_turn);
  buckets = cut(slots, flats, settings, last_turn.front() > last_turn.back());
  const auto ready = [&](const Bucket& bucket) {
    double latest = 0;
    for (const size_t slot : bucket.slots) latest = std::max(latest, last_turn[slot]);
    return latest;
  };
  std::stable_sort(buckets.begin(), buckets.end(),
                   [&](const Bucket& a, const Bucket& b) { return ready(a) < ready(b); });
  bucket_of.resize(slots.size());
  for (size_t i = 0; i < buckets.size(); ++i) {
    for (const size_t slot : buckets[i].slots) bucket_of[slot] = i;
  }
}

void GradientBuckets::State::send(const Bucket& bucket) {
  const at::Tensor& flat = flats[bucket.network];
  if (!settings.sharded)
    return pending.push_back(workers.all_reduce(flat.narrow(0, bucket.begin, bucket.end - bucket.begin)));
  for (int rank = 0; rank < workers.size(); ++rank) {
    const Shard shard = shard_of(flat.numel(), rank, workers.size());
    const int64_t begin = std::max(shard.begin, bucket.begin), end = std::min(shard.end, bucket.end);
    if (begin < end) pending.push_back(workers.reduce(flat.narrow(0, begin, end - begin), rank));
  }
}

}  // namespace fresco::training

#include "fresco/training/trainer.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "fresco/core/error.h"
#include "fresco/core/files.h"
#include "fresco/core/memory.h"
#include "fresco/core/sha256.h"
#include "fresco/ops/machine_rate.h"
#include "fresco/ops/memory/arena.h"
#include "fresco/training/gradient_buckets.h"
#include "fresco/training/phase_task.h"
#include "fresco/training/print_recipe.h"
#include "fresco/training/read_recipe.h"
#include "fresco/training/run_checkpoint.h"
#include "fresco/training/run_folder.h"
#include "fresco/training/run_plan.h"
#include "fresco/training/run_recorder.h"
#include "fresco/training/sample_grid.h"
#include "fresco/training/schedule.h"
#include "fresco/training/spike_guard.h"
#include "fresco/training/workers.h"

namespace fresco::training {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// Weights with what their training keeps beside them.
struct Optimized {
  TrainedWeights weights;
  std::unique_ptr<Optimizer> optimizer;

  // All processes call it: a state that is shared out is put together. The weights' own values stand in it where the model does not hold them.
  std::vector<NamedVector> state() const {
    auto state = optimizer->state();
    for (auto& moment : state) moment.name = weights.name + "." + moment.name;
    if (weights.average == nullptr) state.push_back({weights.name + ".values", weights.parameters->values()});
    return state;
  }
  void restore(const RunCheckpoints::Opened& opened, const std::string& layout) const {
    const auto named = state();
    opened.restore(named, layout);
    auto moments = optimizer->state();
    for (size_t i = 0; i < moments.size(); ++i) moments[i].values = named[i].values;
    optimizer->restore(moments);
  }
};

// The names, shapes and order of everything that a checkpoint's vectors hold.
std::string layout_of(const TrainingModel& model) {
  std::string layout;
  for (const Network network : kNetworks) {
    std::string slices;
    for (const auto& slice : model.parameters(network).slices())
      slices += fmt::format("{}:{}@{};", slice.name, slice.count, slice.offset);
    layout += fmt::format("{} {}; ", name(network), sha256_hex(slices));
  }
  return layout;
}

// Of processes that train together the first alone tells; all can be asked to stop.
class Silent : public TrainObserver {
 public:
  explicit Silent(const Observer& outer) : outer_(outer) {}
  bool cancelled() const override { return outer_.cancelled(); }

 private:
  const Observer& outer_;
};

class Run {
 public:
  Run(const TrainRequest& request, TrainObserver& observer)
      : request_(request),
        recipe_(request.recipe),
        recipe_json_(Json::parse(to_json(request.recipe).dump())),
        folder_{request.folder},
        checkpoints_(folder_.checkpoints()),
        outer_(observer),
        options_(weight_options(request.recipe, request.device)),
        workers_(Workers::from_environment({.gpu = options_.device().is_cuda()})) {}

  // What ends one process is told to the others, which then need not wait for it.
  void train() {
    try {
      train_all();
    } catch (const Interrupted&) {
      throw;
    } catch (const std::exception& error) {
      workers_.give_up(error.what());
      throw;
    }
  }

 private:
  void train_all() {
    workers_.expect_same("the recipe", recipe_json_.dump());
    auto checkpoint = checkpoints_.newest();
    if (checkpoint) refuse_changes(*checkpoint);
    if (fs::exists(folder_.model()))
      throw InputError(folder_.model().string(), "this run has ended; give another folder, or remove the model");
    model_ = TrainingModel::open(recipe_.model, fresh_networks(recipe_), recipe_.seed, options_, outer_);
    if (checkpoint) take_up(*checkpoint);
    agree();
    open_record(checkpoint.has_value());
    RunFacts facts = facts_of(recipe_, request_.recipe_text);
    facts.device = options_.device().is_cuda() ? "cuda" : "cpu";
    facts.threads = at::get_num_threads();
    facts.processes = workers_.size();
    facts.flops = machine_flops() * facts.processes;
    observer_->on_run(facts);
    const int phases = static_cast<int>(recipe_.phases.size());
    while (state_.phase < phases) run_phase(checkpoint);
    finish();
  }

  // Processes on several machines may see other folders; the weights that they read or drew are to be the first one's.
  void agree() const {
    workers_.expect_same(fmt::format("{}: the newest checkpoint", folder_.root.string()),
                         fmt::format("{} {}", state_.phase, state_.step));
    for (const Network network : kNetworks) workers_.broadcast(model_->parameters(network).values(), 0).wait();
  }

  const Phase& phase() const { return recipe_.phases[static_cast<size_t>(state_.phase)]; }
  Place place() const { return {state_.phase, state_.step}; }

  // What is watched, and how often, may change; what decides the weights may not.
  void refuse_changes(const RunCheckpoints::Opened& checkpoint) const {
    if (request_.accept_changes) return;
    const Recipe before = parse_recipe(checkpoint.recipe.dump(), recipe_.place);
    std::string changes;
    for (const auto& line : differences(before, recipe_))
      if (decides_weights(line)) changes += "; " + line;
    if (changes.empty()) return;
    throw InputError(recipe_.place,
                     fmt::format("{} was begun with another recipe (--accept-changes goes on all the same){}",
                                 folder_.root.string(), changes));
  }

  void open_record(bool goes_on) {
    if (!workers_.first()) {
      observer_ = std::make_unique<Silent>(outer_);
      return;
    }
    fs::create_directories(folder_.root);
    write_file(folder_.recipe(), recipe_json_.dump(2) + "\n", /*overwrite=*/true);
    const auto from = goes_on ? std::optional(place()) : std::nullopt;
    observer_ = std::make_unique<RunRecorder>(folder_, from, recipe_.watch.log_every, outer_);
  }

  // A second, of this process's machine, in what most products of the run are.
  double machine_flops() const {
    const auto narrow = [](const Phase& one) { return one.precision == TrainPrecision::bf16; };
    if (options_.device().is_cuda()) return 0;  // not measured
    const bool all = std::ranges::all_of(recipe_.phases, narrow);
    const auto rates = ops::measure_machine(at::get_num_threads());
    const auto* best = rates.best(all ? Arithmetic::bf16 : Arithmetic::f32);
    return best == nullptr ? 0 : best->flops;
  }

  // ---- What a checkpoint holds
  std::vector<NamedVector> model_vectors(const RunCheckpoints::Opened* opened) {
    std::vector<NamedVector> vectors;
    for (const Network network : kNetworks) {
      const auto key = std::string(name(network));
      vectors.push_back({key, model_->parameters(network).values()});
      if (opened != nullptr && opened->has(key + ".average"))
        model_->average(network) = at::empty_like(model_->parameters(network).values());
      if (model_->average(network).defined()) vectors.push_back({key + ".average", model_->average(network)});
    }
    return vectors;
  }

  Json config_state() const {
    return {{"scaling_factor", model_->specs().vae.scaling_factor}, {"scheduler", model_->scheduler()}};
  }

  void take_up(const RunCheckpoints::Opened& opened) {
    state_ = opened.state;
    opened.restore(model_vectors(&opened), layout_of(*model_));
    model_->set_scaling_factor(opened.configs.at("scaling_factor").get<double>());
    model_->set_scheduler(opened.configs.at("scheduler"));
  }

  void write_checkpoint() { write_checkpoint(place()); }

  // at: where it is said to have been written.
  void write_checkpoint(const Place& at) {
    const auto begin = Clock::now();
    auto vectors = model_vectors(nullptr);
    for (const auto& one : optimized_)
      for (auto& vector : one.state()) vectors.push_back(std::move(vector));
    if (!workers_.first()) return;
    TrainEvent event{.place = at};
    try {
      const auto file = checkpoints_.write({state_, recipe_json_, config_state(), layout_of(*model_)}, vectors);
      event.kind = EventKind::checkpoint;
      event.path = fs::relative(file, folder_.root).string();
    } catch (const ResourceError& error) {
      event.kind = EventKind::paused;
      event.text = error.what();
    }
    event.seconds = seconds_since(begin);
    observer_->on_event(event);
  }

  // ---- A phase
  // Among whom the optimiser's state is shared out.
  Workers sharers() const { return phase().shard_optimizer ? workers_ : Workers(); }

  void restore_phase(const RunCheckpoints::Opened& opened) const {
    for (const auto& one : optimized_) one.restore(opened, layout_of(*model_));
  }

  void run_phase(std::optional<RunCheckpoints::Opened>& checkpoint) {
    optimized_.clear();
    task_ = make_phase_task({recipe_, phase(), state_.phase, *model_, workers_, folder_.root, *observer_});
    int64_t parameters = 0;
    for (const auto& weights : task_->weights()) {
      parameters += weights.parameters->count();
      optimized_.push_back({weights, make_optimizer(phase().optimizer, *weights.parameters, sharers())});
    }
    buckets_ = std::make_unique<GradientBuckets>(workers_, gradient_sets(),
                                                 BucketSettings{.sharded = phase().shard_optimizer});
    if (checkpoint && state_.step > 0) restore_phase(*checkpoint);
    checkpoint.reset();
    auto facts = facts_of(phase());
    facts.samples = task_->samples();
    facts.parameters = parameters;
    observer_->on_phase(state_.phase, facts, state_.step);
    if (state_.step == 0) write_checkpoint();  // what a rollback may need
    last_ = Clock::now();
    while (state_.step < phase().steps) step();
    end_phase();
  }

  void end_phase() {
    model_->adopt_averages();
    task_->finish();
    buckets_.reset();
    task_.reset();
    optimized_.clear();
    const Place at = place();
    state_ = {.phase = state_.phase + 1};
    if (state_.phase == static_cast<int>(recipe_.phases.size())) write_checkpoint(at);
  }

  std::vector<GradientSet> gradient_sets() const {
    std::vector<GradientSet> sets;
    for (const auto& one : optimized_)
      sets.push_back({one.weights.parameters->grads(), one.weights.parameters->leaves()});
    return sets;
  }

  void step() {
    stop_if_asked();
    const auto decay = begin_average();
    for (auto& one : optimized_) one.weights.parameters->grads().zero_();
    const auto outcome = gradients();
    std::vector<Parameters*> all;
    for (auto& one : optimized_) all.push_back(one.weights.parameters);
    const double norm = clip_gradients(all, phase().optimizer.clip, sharers());
    const auto problem = judge(state_, outcome.loss, norm, recipe_.watch.spike);
    if (!problem.empty()) return roll_back(problem);
    const double factor = learning_rate_factor(phase().schedule, state_.step, phase().steps);
    for (auto& one : optimized_) one.optimizer->step(state_.step + 1, factor * one.weights.learning_rate);
    if (decay) update_averages(*decay);
    ++state_.step;
    tell(outcome, norm, factor, decay);
    keep_watch();
  }

  StepOutcome accumulate() {
    const ops::ScopedArena activations(&arena_);
    return task_->accumulate(state_.step + state_.data_offset, [this] { buckets_->arm(); });
  }

  // Of the whole batch, summed over all processes. When another process is gone, the weights still stand as the last step left them.
  StepOutcome gradients() {
    const auto outcome = accumulate();
    return exchanging([&] {
      buckets_->finish();
      std::array<double, 2> sums{outcome.loss, outcome.wait_seconds};
      workers_.all_reduce(sums);
      return StepOutcome{sums[0], sums[1] / workers_.size()};
    });
  }

  template <typename Exchange>
  auto exchanging(const Exchange& exchange) -> decltype(exchange()) {
    try {
      return exchange();
    } catch (const ResourceError& error) {
      if (!phase().shard_optimizer)
        write_checkpoint();  // else the others' shares are out of reach: the last one must do
      observer_->on_event({.kind = EventKind::stopped, .place = place(), .text = error.what()});
      throw;
    }
  }

  std::optional<double> begin_average() {
    const auto decay = ema_decay(phase().ema, state_.step);
    for (auto& one : optimized_) {
      auto* average = one.weights.average;
      if (decay && average != nullptr && !average->defined()) *average = one.weights.parameters->values().clone();
    }
    return decay;
  }

  void update_averages(double decay) {
    const c10::NoGradGuard guard;
    for (auto& one : optimized_)
      if (one.weights.average != nullptr) one.weights.average->lerp_(one.weights.parameters->values(), 1 - decay);
  }

  void tell(const StepOutcome& outcome, double norm, double factor, std::optional<double> decay) {
    StepRecord record{.place = place(), .loss = outcome.loss, .gradient_norm = norm, .decay = decay};
    record.learning_rate = factor * optimized_.front().weights.learning_rate;
    record.images = phase().batch;
    record.seconds = seconds_since(last_);
    record.wait_seconds = outcome.wait_seconds;
    record.flops = task_->flops();
    record.memory_bytes = peak_memory_bytes();
    last_ = Clock::now();
    observer_->on_step_done(record);
  }

  // What comes every so many steps; none of it changes the run.
  void keep_watch() {
    const auto due = [&](int64_t every) {
      return every > 0 && (state_.step % every == 0 || state_.step == phase().steps);
    };
    const auto& watch = recipe_.watch;
    if (due(watch.checkpoint_every) && state_.step < phase().steps) write_checkpoint();
    if (!workers_.first()) return;
    if (due(watch.validate_every)) {
      if (auto event = task_->validate()) {
        event->place = place();
        observer_->on_event(*event);
      }
    }
    if (due(watch.sample_every) && phase().kind == PhaseKind::diffusion && !watch.prompts.empty())
      observer_->on_event(draw_samples(*model_, watch, place(), folder_, phase().name));
    last_ = Clock::now();
  }

  // One process that is asked to stop stops all, after the same step.
  void stop_if_asked() {
    std::array<double, 1> asked{observer_->cancelled() ? 1.0 : 0.0};
    exchanging([&] {
      workers_.all_reduce(asked);
      return true;
    });
    if (asked[0] == 0) return;
    write_checkpoint();
    observer_->on_event({.kind = EventKind::stopped, .place = place(), .text = "on request"});
    throw Interrupted();
  }

  // Back to the last checkpoint; the batches since then are left out, as repeating them would end the same.
  void roll_back(const std::string& problem) {
    workers_.barrier();  // the first may still be writing
    const auto opened = checkpoints_.newest();
    const Place from = place();
    if (state_.rollbacks >= recipe_.watch.most_rollbacks || !opened || opened->state.phase != state_.phase) {
      observer_->on_event({.kind = EventKind::stopped, .place = from, .text = problem});
      throw ResourceError(
          recipe_.place,
          fmt::format(
              "phase {} \"{}\" stopped at step {}: {}; {} rollbacks did not help. A lower learning rate, a longer "
              "warm-up or clipping may",
              state_.phase + 1, phase().name, state_.step + 1, problem, state_.rollbacks));
    }
    const int64_t rollbacks = state_.rollbacks + 1;
    const int64_t offset = state_.data_offset + (state_.step + 1 - opened->state.step);
    drop_averages();
    state_ = opened->state;
    opened->restore(model_vectors(&*opened), layout_of(*model_));
    restore_phase(*opened);
    state_.rollbacks = rollbacks;
    state_.data_offset = offset;
    observer_->on_event(
        {.kind = EventKind::rollback, .place = from, .text = problem, .target = place(), .count = rollbacks});
    workers_.barrier();  // all have read it
    write_checkpoint();
    last_ = Clock::now();
  }

  void drop_averages() {
    for (const Network network : kNetworks) model_->average(network).reset();
  }

  void finish() {
    if (!workers_.first()) return;
    write_model(model_->files(recipe_.half_weights), folder_.model());
    observer_->on_event({.kind = EventKind::finished, .place = place(), .path = folder_.model().string()});
  }

  const TrainRequest& request_;
  const Recipe& recipe_;
  Json recipe_json_;
  RunFolder folder_;
  RunCheckpoints checkpoints_;
  TrainObserver& outer_;
  std::unique_ptr<TrainObserver> observer_;  // tells the outer one, too
  std::optional<TrainingModel> model_;
  RunState state_;
  std::unique_ptr<PhaseTask> task_;
  std::vector<Optimized> optimized_;
  ops::Arena arena_;           // of what a step keeps for its backward pass
  at::TensorOptions options_;  // of all weights
  Workers workers_;
  std::unique_ptr<GradientBuckets> buckets_;
  Clock::time_point last_;
};

}  // namespace

void train(const TrainRequest& request, TrainObserver& observer) {
  if (request.threads > 0) at::set_num_threads(request.threads);
  Run(request, observer).train();
}

std::unique_ptr<PhaseTask> make_phase_task(const PhaseNeeds& needs) {
  switch (needs.phase.kind) {
    case PhaseKind::autoencoder:
      return make_autoencoder_task(needs);
    case PhaseKind::attributes:
      return make_attributes_task(needs);
    case PhaseKind::diffusion:
      break;
  }
  return make_diffusion_task(needs);
}

}  // namespace fresco::training

#pragma once
// Every key of a recipe, declared once. Reading, printing, comparing and the reference in docs/training.md
// are visitors over it.
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fresco/training/recipe.h"

namespace fresco::training {

/// Kinds of phases that a key has a meaning in.
enum Kinds : unsigned { kDiffusion = 1, kAutoencoder = 2, kAttributes = 4, kAllKinds = 7 };
Kinds kinds_of(PhaseKind kind);
/// "diffusion", "diffusion or autoencoder"
std::string words_of(Kinds kinds);

struct Field {
  const char* key;
  const char* help;  // a line, as it stands in the reference
  Kinds kinds = kAllKinds;
};

struct Range {
  double least = 0;
  double most = std::numeric_limits<double>::infinity();
  bool above = false;  // least itself is outside
};
/// "0 or more", "above 0 and at most 1"
std::string words_of(const Range& range);

/// A word out of a few; `index` is the value.
struct Choice {
  std::vector<std::string> words;
  size_t index = 0;
};

class FieldVisitor {
 public:
  virtual ~FieldVisitor() = default;
  virtual void text(const Field& field, std::string& value) = 0;
  /// Of a file or folder, relative to the recipe's own.
  virtual void path(const Field& field, std::string& value) = 0;
  /// A model: a path, or a hub id.
  virtual void model(const Field& field, std::string& value) = 0;
  virtual void texts(const Field& field, std::vector<std::string>& value) = 0;
  virtual void flag(const Field& field, bool& value) = 0;
  virtual void count(const Field& field, int64_t& value, const Range& range) = 0;
  virtual void seed(const Field& field, uint64_t& value) = 0;
  virtual void number(const Field& field, double& value, const Range& range) = 0;
  virtual void number(const Field& field, std::optional<double>& value) = 0;
  virtual void points(const Field& field, std::vector<std::pair<int64_t, double>>& value) = 0;
  virtual void choice(const Field& field, Choice& choice) = 0;

  virtual bool begin_group(const Field& field) = 0;  // false: skip it
  virtual void end_group() = 0;
  /// How many elements to visit; with `fresh` they are made anew. Nothing: skip it.
  struct Elements {
    size_t count = 0;
    bool fresh = false;
  };
  virtual std::optional<Elements> begin_list(const Field& field, size_t count) = 0;
  virtual void begin_element(size_t index) = 0;
  virtual void end_element() = 0;
  virtual void end_list() = 0;

  void count(const Field& field, int& value, const Range& range);

  template <typename Enum, size_t kCount>
  void word(const Field& field, Enum& value, const std::pair<const char*, Enum> (&known)[kCount]) {
    Choice choice_of;
    for (size_t i = 0; i < kCount; ++i) {
      choice_of.words.emplace_back(known[i].first);
      if (known[i].second == value) choice_of.index = i;
    }
    choice(field, choice_of);
    value = known[choice_of.index].second;
  }

  template <typename Settings>
  void group(const Field& field, Settings& settings) {
    if (!begin_group(field)) return;
    visit_fields(settings, *this);
    end_group();
  }

  template <typename Settings>
  void list(const Field& field, std::vector<Settings>& settings) {
    const auto elements = begin_list(field, settings.size());
    if (!elements) return;
    if (elements->fresh) settings.assign(elements->count, Settings{});
    Settings spare;  // a visitor may ask for an element of an empty list
    for (size_t i = 0; i < elements->count; ++i) {
      begin_element(i);
      visit_fields(i < settings.size() ? settings[i] : spare, *this);
      end_element();
    }
    end_list();
  }
};

void visit_fields(data::FilterSettings& settings, FieldVisitor& visit);
void visit_fields(data::SourceSettings& settings, FieldVisitor& visit);
void visit_fields(data::FitSettings& settings, FieldVisitor& visit);
void visit_fields(OptimizerSettings& settings, FieldVisitor& visit);
void visit_fields(ScheduleSettings& settings, FieldVisitor& visit);
void visit_fields(EmaSettings& settings, FieldVisitor& visit);
void visit_fields(LossSettings& settings, FieldVisitor& visit);
void visit_fields(NoiseSettings& settings, FieldVisitor& visit);
void visit_fields(AutoencoderSettings& settings, FieldVisitor& visit);
void visit_fields(Phase& phase, FieldVisitor& visit);
void visit_fields(WatchSettings& settings, FieldVisitor& visit);
void visit_fields(Recipe& recipe, FieldVisitor& visit);

}  // namespace fresco::training

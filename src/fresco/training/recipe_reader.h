#pragma once
// The visitor that fills a recipe from YAML.
#include <filesystem>
#include <string>
#include <vector>

#include "fresco/training/recipe_fields.h"
#include "fresco/training/yaml_tree.h"

namespace fresco::training {

class RecipeReader : public FieldVisitor {
 public:
  /// root: a map; it must outlive the reader.
  RecipeReader(const YamlNode& root, std::filesystem::path place);
  /// After the last field: refuses keys that were not asked for.
  void finish() { leave(); }

  void text(const Field& field, std::string& value) override;
  void path(const Field& field, std::string& value) override;
  void model(const Field& field, std::string& value) override;
  void texts(const Field& field, std::vector<std::string>& value) override;
  void flag(const Field& field, bool& value) override;
  void count(const Field& field, int64_t& value, const Range& range) override;
  void seed(const Field& field, uint64_t& value) override;
  void number(const Field& field, double& value, const Range& range) override;
  void number(const Field& field, std::optional<double>& value) override;
  void points(const Field& field, std::vector<std::pair<int64_t, double>>& value) override;
  void choice(const Field& field, Choice& choice) override;
  bool begin_group(const Field& field) override;
  void end_group() override { leave(); }
  std::optional<Elements> begin_list(const Field& field, size_t count) override;
  void begin_element(size_t index) override;
  void end_element() override { leave(); }
  void end_list() override { levels_.pop_back(); }

 private:
  struct Level {
    const YamlNode* node;
    std::string path;
    std::vector<std::string> known;
  };

  /// The field's value where the file states one.
  const YamlNode* stated(const Field& field);
  std::string at(const Field& field) const;
  [[noreturn]] void refuse(const YamlNode& node, const std::string& path, std::string_view problem) const;
  [[noreturn]] void refuse_type(const YamlNode& node, const Field& field, std::string_view wanted) const;
  void refuse_unknown(const Level& level, const std::string& key, const YamlNode& value) const;
  void leave();
  double checked_number(const YamlNode& node, const Field& field) const;
  std::string resolved(const std::string& text) const;

  std::filesystem::path place_;
  std::vector<Level> levels_;
  Kinds kinds_ = kAllKinds;  // of the phase that is being read
};

}  // namespace fresco::training

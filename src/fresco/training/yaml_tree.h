#pragma once
// YAML as plain maps, lists and scalars that know their lines. What a settings file has no need of is
// refused: aliases and anchors, tags, several documents, keys that are no scalars or occur twice, great depth
// or size.
#include <string>
#include <string_view>
#include <vector>

namespace fresco::training {

struct YamlNode {
  enum class Kind { null, scalar, list, map };
  Kind kind = Kind::null;
  int line = 0;                    // counted from 1
  std::string text;                // scalar
  bool quoted = false;             // scalar
  bool inherited = false;          // came from elsewhere: a default
  std::vector<YamlNode> elements;  // list; of a map, the values in the file's order
  std::vector<std::string> keys;   // map: of each element

  const YamlNode* find(std::string_view key) const;  // nullptr when absent
  YamlNode* find(std::string_view key);
  /// Adds an entry to a map that has none of this key.
  void put(std::string key, YamlNode value);
  /// Takes an entry out of a map; null when absent.
  YamlNode take(std::string_view key);
  /// What came, for a message: `"0,5"`, `a list`, `nothing`.
  std::string described() const;
};

/// Errors: InputError "place:line: ...".
YamlNode parse_yaml(const std::string& text, std::string_view place);

/// Entries of `under` that `over` lacks are put into it, marked as inherited; maps are merged, all else is
/// taken whole.
void merge_under(YamlNode& over, const YamlNode& under);

}  // namespace fresco::training

#include "fresco/training/yaml_tree.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>

#include "fresco/core/error.h"
#include "fresco/core/json.h"

namespace fresco::training {
namespace {

constexpr size_t kDeepest = 24;
constexpr size_t kMostNodes = 10000;

bool is_utf8(const std::string& text) {
  try {
    return !Json(text).dump().empty();
  } catch (const Json::exception&) {
    return false;
  }
}

class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string_view place) : place_(place) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(node(mark, "", anchor)); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(mark, "aliases (*name) are not taken; `defaults:` and `like:` share settings between phases");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (!is_utf8(value)) refuse(mark, "expected text in UTF-8");
    const bool quoted = tag == "!";  // yaml-cpp's way of telling
    YamlNode scalar = node(mark, quoted ? "" : tag, anchor);
    const bool null = !quoted && (value.empty() || value == "~" || value == "null");
    scalar.kind = null ? YamlNode::Kind::null : YamlNode::Kind::scalar;
    scalar.text = value;
    scalar.quoted = quoted;
    add(std::move(scalar));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::list, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::map, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

  YamlNode root;

 private:
  struct Open {
    YamlNode node;
    std::string key;
    bool has_key = false;
  };

  [[noreturn]] void refuse(const YAML::Mark& mark, std::string_view problem) const {
    throw InputError(fmt::format("{}:{}", place_, mark.line + 1), problem);
  }

  YamlNode node(const YAML::Mark& mark, std::string_view tag, YAML::anchor_t anchor) {
    if (anchor != 0)
      refuse(mark, "anchors (&name) are not taken; `defaults:` and `like:` share settings between phases");
    if (!tag.empty() && tag != "?") refuse(mark, fmt::format("tags such as {} are not taken", printable(tag, 40)));
    if (++nodes_ > kMostNodes) refuse(mark, fmt::format("more than {} values", kMostNodes));
    YamlNode made;
    made.line = mark.line + 1;
    return made;
  }

  void open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (stack_.size() >= kDeepest) refuse(mark, fmt::format("nested deeper than {}", kDeepest));
    stack_.push_back({node(mark, tag, anchor), {}, false});
    stack_.back().node.kind = kind;
  }

  void close() {
    YamlNode done = std::move(stack_.back().node);
    stack_.pop_back();
    add(std::move(done));
  }

  void add(YamlNode child) {
    if (stack_.empty()) {
      root = std::move(child);
      return;
    }
    Open& parent = stack_.back();
    if (parent.node.kind == YamlNode::Kind::list) {
      parent.node.elements.push_back(std::move(child));
    } else if (parent.has_key) {
      parent.node.put(std::move(parent.key), std::move(child));
      parent.has_key = false;
    } else {
      take_key(parent, child);
    }
  }

  void take_key(Open& parent, YamlNode& key) {
    const std::string at = fmt::format("{}:{}", place_, key.line);
    if (key.kind != YamlNode::Kind::scalar) throw InputError(at, expected_got("a key", key.described()));
    if (parent.node.find(key.text))
      throw InputError(at, fmt::format("key \"{}\" occurs twice in one map", printable(key.text, 40)));
    parent.key = std::move(key.text);
    parent.has_key = true;
  }

  std::string place_;
  std::vector<Open> stack_;
  size_t nodes_ = 0;
};

void mark_inherited(YamlNode& node) {
  node.inherited = true;
  for (auto& element : node.elements) mark_inherited(element);
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  const auto found = std::find(keys.begin(), keys.end(), key);
  return found == keys.end() ? nullptr : &elements[static_cast<size_t>(found - keys.begin())];
}

YamlNode* YamlNode::find(std::string_view key) {
  return const_cast<YamlNode*>(static_cast<const YamlNode*>(this)->find(key));
}

void YamlNode::put(std::string key, YamlNode value) {
  keys.push_back(std::move(key));
  elements.push_back(std::move(value));
}

YamlNode YamlNode::take(std::string_view key) {
  const auto found = std::find(keys.begin(), keys.end(), key);
  if (found == keys.end()) return {};
  const auto value = elements.begin() + (found - keys.begin());
  YamlNode taken = std::move(*value);
  elements.erase(value);
  keys.erase(found);
  return taken;
}

std::string YamlNode::described() const {
  switch (kind) {
    case Kind::null:
      return "nothing";
    case Kind::scalar:
      return fmt::format("\"{}\"", printable(text, 60));
    case Kind::list:
      return "a list";
    case Kind::map:
      break;
  }
  return "a map of keys";
}

YamlNode parse_yaml(const std::string& text, std::string_view place) {
  TreeBuilder builder(place);
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) throw InputError(place, "the file is empty");
    TreeBuilder rest(place);
    if (parser.HandleNextDocument(rest)) throw InputError(place, "expected one document, got several (a line ---)");
  } catch (const YAML::Exception& broken) {
    throw InputError(fmt::format("{}:{}", place, broken.mark.line + 1), "not YAML: " + printable(broken.msg));
  }
  return std::move(builder.root);
}

void merge_under(YamlNode& over, const YamlNode& under) {
  if (over.kind != YamlNode::Kind::map || under.kind != YamlNode::Kind::map) return;
  for (size_t i = 0; i < under.keys.size(); ++i) {
    if (YamlNode* own = over.find(under.keys[i])) {
      merge_under(*own, under.elements[i]);
    } else {
      over.put(under.keys[i], under.elements[i]);
      mark_inherited(over.elements.back());
    }
  }
}

}  // namespace fresco::training

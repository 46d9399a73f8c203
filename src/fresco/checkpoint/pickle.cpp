#include "fresco/checkpoint/pickle.h"

#include <fmt/format.h>

#include <bit>
#include <unordered_map>

#include "fresco/checkpoint/byte_reader.h"
#include "fresco/checkpoint/pickle_globals.h"
#include "fresco/core/error.h"

namespace fresco::checkpoint {
namespace {

constexpr size_t kMostValues = size_t{1} << 22;  // a file of 100,000 tensors makes 2.4 million
constexpr uint64_t kLongestPickle = uint64_t{64} << 20;
constexpr size_t kMostTensors = size_t{1} << 20;
constexpr size_t kMostDimensions = 8;
constexpr uint8_t kNewestProtocol = 5;

// The letters are pickletools' codes.
enum Opcode : uint8_t {
  kMark = '(',
  kStop = '.',
  kPop = '0',
  kPopMark = '1',
  kDup = '2',
  kNone = 'N',
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kLong1 = 0x8a,
  kLong4 = 0x8b,
  kBinFloat = 'G',
  kBinUnicode = 'X',
  kShortBinUnicode = 0x8c,
  kBinUnicode8 = 0x8d,
  kBinString = 'T',
  kShortBinString = 'U',
  kBinBytes = 'B',
  kShortBinBytes = 'C',
  kBinBytes8 = 0x8e,
  kEmptyDict = '}',
  kDict = 'd',
  kSetItem = 's',
  kSetItems = 'u',
  kEmptyList = ']',
  kList = 'l',
  kAppend = 'a',
  kAppends = 'e',
  kEmptySet = 0x8f,
  kAddItems = 0x90,
  kFrozenSet = 0x91,
  kEmptyTuple = ')',
  kTuple = 't',
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kBinGet = 'h',
  kLongBinGet = 'j',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kMemoize = 0x94,
  kGlobal = 'c',
  kStackGlobal = 0x93,
  kReduce = 'R',
  kNewObj = 0x81,
  kBuild = 'b',
  kBinPersId = 'Q',
  kProto = 0x80,
  kFrame = 0x95,
};

class Machine {
 public:
  Machine(std::span<const std::byte> bytes, std::string_view where)
      : reader_(bytes.first(std::min<uint64_t>(bytes.size(), kLongestPickle)), where, "pickle"), where_(where) {}

  Pickle run() {
    for (;;) {
      const auto opcode = reader_.number<uint8_t>();
      if (opcode == kStop) break;
      if (!push_constant(opcode) && !build_container(opcode) && !use_memo(opcode) && !build_object(opcode) &&
          !move_stack(opcode))
        fail(fmt::format("opcode 0x{:02x} at byte {} is none that torch writes", opcode, reader_.at() - 1));
    }
    pickle_.root = pop();
    pickle_.length = reader_.at();
    return std::move(pickle_);
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const { throw FormatError(where_, "pickle: " + problem); }
  [[noreturn]] void fail_broken() const { fail(fmt::format("broken before byte {}", reader_.at())); }

  // ---- Stack
  const PickleValue& value(Handle handle) const { return pickle_.values[handle]; }
  PickleValue& value(Handle handle) { return pickle_.values[handle]; }

  bool push(PickleValue made) {
    if (pickle_.values.size() >= kMostValues) fail(fmt::format("more than {} values", kMostValues));
    pickle_.values.push_back(std::move(made));
    stack_.push_back(static_cast<Handle>(pickle_.values.size() - 1));
    return true;
  }
  bool push_integer(int64_t number) { return push({PickleKind::integer, number, {}, {}}); }
  bool push_text(PickleKind kind, std::string_view text) { return push({kind, 0, text, {}}); }

  size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  Handle pop() {
    if (stack_.size() <= floor()) fail_broken();
    const Handle top = stack_.back();
    stack_.pop_back();
    return top;
  }
  Handle top() const {
    if (stack_.size() <= floor()) fail_broken();
    return stack_.back();
  }
  std::vector<Handle> pop_to_mark() {
    if (marks_.empty()) fail_broken();
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<Handle> items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return items;
  }
  std::vector<Handle> pop_several(size_t count) {
    if (stack_.size() - floor() < count) fail_broken();
    std::vector<Handle> items(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
    stack_.resize(stack_.size() - count);
    return items;
  }

  bool move_stack(uint8_t opcode) {
    switch (opcode) {
      case kMark:
        if (marks_.size() >= kMostTensors) fail("nested too deep");
        marks_.push_back(stack_.size());
        return true;
      case kPop:
        if (stack_.size() == floor() && !marks_.empty())
          marks_.pop_back();
        else
          pop();
        return true;
      case kPopMark:
        pop_to_mark();
        return true;
      case kDup:
        stack_.push_back(top());
        return true;
      case kProto:
        if (const auto protocol = reader_.number<uint8_t>(); protocol > kNewestProtocol)
          fail(fmt::format("protocol {}; known up to {}", protocol, kNewestProtocol));
        return true;
      case kFrame:
        reader_.take(8);
        return true;
      default:
        return false;
    }
  }

  // ---- Constants
  bool push_constant(uint8_t opcode) {
    switch (opcode) {
      case kNone:
        return push({});
      case kNewTrue:
        return push({PickleKind::boolean, 1, {}, {}});
      case kNewFalse:
        return push({PickleKind::boolean, 0, {}, {}});
      case kBinInt:
        return push_integer(reader_.number<int32_t>());
      case kBinInt1:
        return push_integer(reader_.number<uint8_t>());
      case kBinInt2:
        return push_integer(reader_.number<uint16_t>());
      case kLong1:
        return push_long(reader_.number<uint8_t>());
      case kLong4:
        return push_long(reader_.number<uint32_t>());
      case kBinFloat:
        reader_.take(8);
        return push({PickleKind::real, 0, {}, {}});
      case kShortBinUnicode:
        return push_text(PickleKind::text, reader_.take_text(reader_.number<uint8_t>()));
      case kBinUnicode:
        return push_text(PickleKind::text, reader_.take_text(reader_.number<uint32_t>()));
      case kBinUnicode8:
        return push_text(PickleKind::text, reader_.take_text(reader_.number<uint64_t>()));
      case kShortBinString:
        return push_text(PickleKind::text, reader_.take_text(reader_.number<uint8_t>()));
      case kBinString:
        return push_text(PickleKind::text, reader_.take_text(reader_.number<uint32_t>()));
      case kShortBinBytes:
        return push_text(PickleKind::bytes, reader_.take_text(reader_.number<uint8_t>()));
      case kBinBytes:
        return push_text(PickleKind::bytes, reader_.take_text(reader_.number<uint32_t>()));
      case kBinBytes8:
        return push_text(PickleKind::bytes, reader_.take_text(reader_.number<uint64_t>()));
      default:
        return false;
    }
  }

  // Two's complement, little endian, as many bytes as it needs.
  bool push_long(uint64_t length) {
    const std::string_view bytes = reader_.take_text(length);
    if (length > sizeof(int64_t)) return push_text(PickleKind::integer, bytes);
    uint64_t number = !bytes.empty() && (bytes.back() & 0x80) ? ~uint64_t{0} : 0;
    std::memcpy(&number, bytes.data(), bytes.size());
    return push_integer(std::bit_cast<int64_t>(number));
  }

  // ---- Containers
  bool build_container(uint8_t opcode) {
    switch (opcode) {
      case kEmptyDict:
        return push({PickleKind::dictionary, 0, {}, {}});
      case kEmptyList:
        return push({PickleKind::list, 0, {}, {}});
      case kEmptySet:
        return push({PickleKind::opaque, 0, {}, {}});
      case kEmptyTuple:
        return push({PickleKind::tuple, 0, {}, {}});
      case kDict:
        return push_pairs(pop_to_mark());
      case kList:
        return push({PickleKind::list, 0, {}, pop_to_mark()});
      case kTuple:
        return push({PickleKind::tuple, 0, {}, pop_to_mark()});
      case kFrozenSet:
        pop_to_mark();
        return push({PickleKind::opaque, 0, {}, {}});
      case kTuple1:
        return push({PickleKind::tuple, 0, {}, pop_several(1)});
      case kTuple2:
        return push({PickleKind::tuple, 0, {}, pop_several(2)});
      case kTuple3:
        return push({PickleKind::tuple, 0, {}, pop_several(3)});
      case kAppend:
        return extend(PickleKind::list, pop_several(1));
      case kAppends:
        return extend(PickleKind::list, pop_to_mark());
      case kAddItems:
        return extend(PickleKind::opaque, pop_to_mark());
      case kSetItem:
        return extend(PickleKind::dictionary, pop_several(2));
      case kSetItems:
        return extend(PickleKind::dictionary, pop_to_mark());
      default:
        return false;
    }
  }
  bool push_pairs(std::vector<Handle> items) {
    if (items.size() % 2 != 0) fail_broken();
    return push({PickleKind::dictionary, 0, {}, std::move(items)});
  }
  bool extend(PickleKind kind, const std::vector<Handle>& items) {
    PickleValue& container = value(top());
    if (container.kind == PickleKind::opaque) return true;
    if (container.kind != kind || (kind == PickleKind::dictionary && items.size() % 2 != 0)) fail_broken();
    container.items.insert(container.items.end(), items.begin(), items.end());
    return true;
  }

  // ---- Memo
  bool use_memo(uint8_t opcode) {
    switch (opcode) {
      case kBinGet:
        return get(reader_.number<uint8_t>());
      case kLongBinGet:
        return get(reader_.number<uint32_t>());
      case kBinPut:
        return put(reader_.number<uint8_t>());
      case kLongBinPut:
        return put(reader_.number<uint32_t>());
      case kMemoize:
        return put(static_cast<uint32_t>(memo_.size()));
      default:
        return false;
    }
  }
  bool get(uint32_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) fail_broken();
    stack_.push_back(found->second);
    return true;
  }
  bool put(uint32_t index) {
    if (memo_.size() >= kMostValues) fail(fmt::format("more than {} remembered values", kMostValues));
    memo_[index] = top();
    return true;
  }

  // ---- Names and objects: nothing is called
  bool build_object(uint8_t opcode) {
    switch (opcode) {
      case kGlobal: {
        const std::string_view module = reader_.line();
        return import(module, reader_.line());
      }
      case kStackGlobal: {
        const auto names = pop_several(2);
        return import(value(names[0]).text, value(names[1]).text);
      }
      case kReduce:
        return call(pop_several(2));
      case kNewObj:
        return make_instance(pop_several(2));
      case kBuild:
        return set_state(pop_several(1));
      case kBinPersId:
        return find_storage(pop());
      default:
        return false;
    }
  }

  bool import(std::string_view module, std::string_view name) {
    const auto position = find_global(module, name);
    if (!position)
      fail(fmt::format("imports \"{}.{}\"; expected nothing but what rebuilds tensors, and nothing in a file is run",
                       printable(module, 60), printable(name, 60)));
    return push({PickleKind::global, static_cast<int64_t>(*position), {}, {}});
  }
  const PickleGlobal& global_of(Handle handle) const {
    if (value(handle).kind != PickleKind::global) fail_broken();
    return global_at(static_cast<size_t>(value(handle).number));
  }

  bool call(const std::vector<Handle>& callee_and_arguments) {
    const PickleGlobal& callee = global_of(callee_and_arguments[0]);
    if (value(callee_and_arguments[1]).kind != PickleKind::tuple) fail_broken();
    switch (callee.role) {
      case GlobalRole::dictionary:
        return push(dictionary_from(callee_and_arguments[1]));
      case GlobalRole::first_argument: {
        const auto& arguments = value(callee_and_arguments[1]).items;
        if (arguments.empty()) fail_broken();
        stack_.push_back(arguments[0]);
        return true;
      }
      case GlobalRole::rebuild_tensor:
        return rebuild_tensor(value(callee_and_arguments[1]).items, false);
      case GlobalRole::rebuild_typed:
        return rebuild_tensor(value(callee_and_arguments[1]).items, true);
      case GlobalRole::opaque:
        return push({PickleKind::opaque, 0, {}, {}});
      case GlobalRole::storage_type:
      case GlobalRole::element_type:
        break;
    }
    fail(fmt::format("calls \"{}.{}\", which is a type", callee.module, callee.name));
  }

  // OrderedDict() or OrderedDict([(key, value), ...]).
  PickleValue dictionary_from(Handle arguments) {
    PickleValue made{PickleKind::dictionary, 0, {}, {}};
    if (value(arguments).items.empty()) return made;
    const PickleValue& pairs = value(value(arguments).items[0]);
    if (pairs.kind != PickleKind::list) fail_broken();
    copied_ += pairs.items.size();  // one list can be named again and again for a few bytes each
    if (copied_ > kMostValues) fail(fmt::format("more than {} values", kMostValues));
    for (const Handle pair : pairs.items) {
      if (value(pair).items.size() != 2) fail_broken();
      made.items.insert(made.items.end(), value(pair).items.begin(), value(pair).items.end());
    }
    return made;
  }

  bool make_instance(const std::vector<Handle>& type_and_arguments) {
    const PickleGlobal& type = global_of(type_and_arguments[0]);
    if (type.role == GlobalRole::dictionary) return push({PickleKind::dictionary, 0, {}, {}});
    if (type.role != GlobalRole::opaque) fail_broken();
    return push({PickleKind::opaque, 0, {}, {}});
  }

  // Attributes such as a state dictionary's _metadata: weights do not need them.
  bool set_state(const std::vector<Handle>&) {
    const PickleKind kind = value(top()).kind;
    if (kind != PickleKind::dictionary && kind != PickleKind::tensor && kind != PickleKind::opaque) fail_broken();
    return true;
  }

  // ---- Tensors
  int64_t integer(Handle handle) const {
    const PickleValue& found = value(handle);
    if (found.kind != PickleKind::integer || !found.text.empty()) fail_broken();
    return found.number;
  }
  uint64_t count(Handle handle) const {
    const int64_t number = integer(handle);
    if (number < 0) fail(fmt::format("storage of negative size {}", number));
    return static_cast<uint64_t>(number);
  }
  std::string_view text(Handle handle) const {
    if (value(handle).kind != PickleKind::text) fail_broken();
    return value(handle).text;
  }
  Shape integers(Handle handle) const {
    const PickleValue& list = value(handle);
    if (list.kind != PickleKind::tuple && list.kind != PickleKind::list) fail_broken();
    if (list.items.size() > kMostDimensions) fail(fmt::format("a tensor of {} dimensions", list.items.size()));
    Shape numbers;
    for (const Handle item : list.items) numbers.push_back(integer(item));
    return numbers;
  }

  // ("storage", type, key, device, elements) and in older files a window (name, begin, elements) or None.
  bool find_storage(Handle id) {
    const PickleValue& tuple = value(id);
    if (tuple.kind != PickleKind::tuple || tuple.items.size() < 5 || tuple.items.size() > 6 ||
        text(tuple.items[0]) != "storage")
      fail("refers to something that is no storage");
    const PickleGlobal& type = global_of(tuple.items[1]);
    if (type.role != GlobalRole::storage_type) fail_broken();
    PickledStorage storage{type.type, text(tuple.items[2]), count(tuple.items[4]), std::nullopt, 0};
    if (tuple.items.size() == 6 && value(tuple.items[5]).kind != PickleKind::none)
      read_window(storage, value(tuple.items[5]));
    pickle_.storages.push_back(storage);
    return push({PickleKind::storage, static_cast<int64_t>(pickle_.storages.size() - 1), {}, {}});
  }
  void read_window(PickledStorage& storage, const PickleValue& window) const {
    if (window.kind != PickleKind::tuple || window.items.size() != 3) fail_broken();
    storage.view = text(window.items[0]);
    storage.view_begin = count(window.items[1]);
    storage.elements = count(window.items[2]);
  }

  bool rebuild_tensor(const std::vector<Handle>& arguments, bool typed) {
    if (arguments.size() < (typed ? 7u : 4u) || value(arguments[0]).kind != PickleKind::storage) fail_broken();
    if (pickle_.tensors.size() >= kMostTensors) fail(fmt::format("more than {} tensors", kMostTensors));
    PickledTensor tensor;
    tensor.storage = static_cast<size_t>(value(arguments[0]).number);
    tensor.offset = integer(arguments[1]);
    tensor.shape = integers(arguments[2]);
    tensor.strides = integers(arguments[3]);
    if (typed) {
      const PickleGlobal& type = global_of(arguments[6]);
      if (type.role != GlobalRole::element_type) fail_broken();
      tensor.type = type.type;
    }
    pickle_.tensors.push_back(std::move(tensor));
    return push({PickleKind::tensor, static_cast<int64_t>(pickle_.tensors.size() - 1), {}, {}});
  }

  ByteReader reader_;
  std::string_view where_;
  Pickle pickle_;
  std::vector<Handle> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint32_t, Handle> memo_;
  size_t copied_ = 0;
};

}  // namespace

const PickleValue* Pickle::find(const PickleValue& dictionary, std::string_view key) const {
  if (dictionary.kind != PickleKind::dictionary) return nullptr;
  for (size_t i = dictionary.items.size(); i >= 2; i -= 2) {
    const PickleValue& name = at(dictionary.items[i - 2]);
    if (name.kind == PickleKind::text && name.text == key) return &at(dictionary.items[i - 1]);
  }
  return nullptr;
}

Pickle read_pickle(std::span<const std::byte> bytes, std::string_view where) { return Machine(bytes, where).run(); }

}  // namespace fresco::checkpoint

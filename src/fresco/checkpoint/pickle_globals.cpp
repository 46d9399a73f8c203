#include "fresco/checkpoint/pickle_globals.h"

#include <array>

namespace fresco::checkpoint {
namespace {

using enum GlobalRole;

constexpr std::array kGlobals = std::to_array<PickleGlobal>({
    {"collections", "OrderedDict", dictionary},
    {"torch._utils", "_rebuild_tensor", rebuild_tensor},
    {"torch._utils", "_rebuild_tensor_v2", rebuild_tensor},
    {"torch._utils", "_rebuild_tensor_v3", rebuild_typed},
    {"torch._utils", "_rebuild_parameter", first_argument},
    {"torch._utils", "_rebuild_parameter_with_state", first_argument},
    {"torch", "Size", first_argument},

    {"torch", "DoubleStorage", storage_type, ElementType::f64},
    {"torch", "FloatStorage", storage_type, ElementType::f32},
    {"torch", "HalfStorage", storage_type, ElementType::f16},
    {"torch", "BFloat16Storage", storage_type, ElementType::bf16},
    {"torch", "LongStorage", storage_type, ElementType::i64},
    {"torch", "IntStorage", storage_type, ElementType::i32},
    {"torch", "ShortStorage", storage_type, ElementType::i16},
    {"torch", "CharStorage", storage_type, ElementType::i8},
    {"torch", "ByteStorage", storage_type, ElementType::u8},
    {"torch", "BoolStorage", storage_type, ElementType::boolean},
    {"torch.cuda", "DoubleStorage", storage_type, ElementType::f64},
    {"torch.cuda", "FloatStorage", storage_type, ElementType::f32},
    {"torch.cuda", "HalfStorage", storage_type, ElementType::f16},
    {"torch.cuda", "BFloat16Storage", storage_type, ElementType::bf16},
    {"torch.cuda", "LongStorage", storage_type, ElementType::i64},
    {"torch.cuda", "IntStorage", storage_type, ElementType::i32},
    {"torch.cuda", "ByteStorage", storage_type, ElementType::u8},
    {"torch.cuda", "BoolStorage", storage_type, ElementType::boolean},
    {"torch", "UntypedStorage", storage_type},
    {"torch.storage", "UntypedStorage", storage_type},

    {"torch", "float64", element_type, ElementType::f64},
    {"torch", "float32", element_type, ElementType::f32},
    {"torch", "float16", element_type, ElementType::f16},
    {"torch", "bfloat16", element_type, ElementType::bf16},
    {"torch", "float8_e4m3fn", element_type, ElementType::f8_e4m3},
    {"torch", "float8_e5m2", element_type, ElementType::f8_e5m2},
    {"torch", "int64", element_type, ElementType::i64},
    {"torch", "int32", element_type, ElementType::i32},
    {"torch", "int16", element_type, ElementType::i16},
    {"torch", "int8", element_type, ElementType::i8},
    {"torch", "uint64", element_type, ElementType::u64},
    {"torch", "uint32", element_type, ElementType::u32},
    {"torch", "uint16", element_type, ElementType::u16},
    {"torch", "uint8", element_type, ElementType::u8},
    {"torch", "bool", element_type, ElementType::boolean},

    // Training state beside the weights in checkpoints as published (v1-5-pruned.ckpt and its kin).
    {"pytorch_lightning.callbacks.model_checkpoint", "ModelCheckpoint"},
    {"pytorch_lightning.callbacks.early_stopping", "EarlyStopping"},
    {"lightning.pytorch.callbacks.model_checkpoint", "ModelCheckpoint"},
    {"torch", "device"},
    {"numpy", "dtype"},
    {"numpy", "ndarray"},
    {"numpy.core.multiarray", "scalar"},
    {"numpy.core.multiarray", "_reconstruct"},
    {"numpy._core.multiarray", "scalar"},
    {"numpy._core.multiarray", "_reconstruct"},
    {"_codecs", "encode"},
    {"collections", "defaultdict"},
    {"builtins", "set"},
    {"builtins", "int"},
    {"builtins", "float"},
    {"builtins", "dict"},
    {"builtins", "list"},
    {"__builtin__", "set"},
    {"__builtin__", "int"},
    {"__builtin__", "float"},
    {"__builtin__", "dict"},
    {"__builtin__", "list"},
});

}  // namespace

std::optional<size_t> find_global(std::string_view module, std::string_view name) {
  for (size_t i = 0; i < kGlobals.size(); ++i) {
    if (kGlobals[i].name == name && kGlobals[i].module == module) return i;
  }
  return std::nullopt;
}

const PickleGlobal& global_at(size_t position) { return kGlobals[position]; }

}  // namespace fresco::checkpoint

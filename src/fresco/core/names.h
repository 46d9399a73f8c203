#pragma once
// Devices, precisions and uses of memory, and the words for them on command lines and in files.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fresco {

enum class Device { automatic, cpu, cuda };
/// automatic: the exact picture on a CPU (f32), half on a GPU; fast: the quickest that the machine has.
enum class Precision { automatic, f32, bf16, f16, int8, fast };

/// What weights may take: fast: the memory that makes them quick to use; lean: next to none, they stay in the model's file.
enum class Memory { fast, lean };

/// "auto", "cpu", ... Errors: InputError naming `where`, listing what is known.
Device parse_device(std::string_view word, std::string_view where = "--device");
Precision parse_precision(std::string_view word, std::string_view where = "--precision");
Memory parse_memory(std::string_view word, std::string_view where = "--memory");
std::string_view name(Device device);
std::string_view name(Precision precision);
std::string_view name(Memory memory);

/// How near a precision of a processor's products comes to the exact picture: decibels of peak signal-to-noise ratio, 10 log10 of
/// 4 / mean square difference of values in -1..1, over two pictures of the model that comes with fresco, against float32 and the
/// reference forms of all operators. tests/pipeline/precision_test.cpp measures it anew. None for float32, which is taken as exact
/// (133 dB), and for what is not a precision of its own.
std::optional<int> measured_psnr(Precision precision);

/// "a, b, c"
std::string joined(const std::vector<std::string>& words, std::string_view separator = ", ");

/// Digits in groups of three: "814,746,884".
std::string grouped(int64_t number);

/// "85 kB", "12.3 MB", "2.41 GB"
std::string size_text(double bytes);

/// fresco's own version, such as "0.1.0".
std::string_view version();

}  // namespace fresco

#pragma once
// Every failure that is not a programmer's mistake is one of these. The text is one line: "where: what".
#include <stdexcept>
#include <string>
#include <string_view>

namespace fresco {

/// What a program ends with.
enum class ExitStatus : int { success = 0, input = 2, format = 3, resource = 4, interrupted = 130 };

class Error : public std::runtime_error {
 public:
  /// what() is printable(); where() is as given.
  Error(ExitStatus status, std::string_view where, std::string_view problem);
  ExitStatus exit_status() const { return status_; }
  const std::string& where() const { return where_; }

 private:
  ExitStatus status_;
  std::string where_;
};

/// The user's mistake: an option, a prompt file, a size that does not fit.
struct InputError : Error {
  InputError(std::string_view where, std::string_view problem) : Error(ExitStatus::input, where, problem) {}
};

/// A file that is not what it claims to be.
struct FormatError : Error {
  FormatError(std::string_view where, std::string_view problem) : Error(ExitStatus::format, where, problem) {}
};

/// Memory, disk, network or device.
struct ResourceError : Error {
  ResourceError(std::string_view where, std::string_view problem) : Error(ExitStatus::resource, where, problem) {}
};

/// Somebody asked the work to stop.
struct Interrupted : Error {
  Interrupted() : Error(ExitStatus::interrupted, "interrupted", "stopped on request") {}
};

/// "expected 3, got 5": the usual second half of a message.
std::string expected_got(std::string_view expected, std::string_view got);

/// Text of a stranger, fit to stand in a message: control characters and what is no UTF-8 escaped (\x1b), cut after `limit` bytes or the
/// character that crosses them.
std::string printable(std::string_view text, size_t limit = 120);

/// The name among `known` nearest to `name` (edit distance at most a third of its length); empty when none is near.
std::string nearest_name(std::string_view name, const std::string* known, size_t count);

}  // namespace fresco

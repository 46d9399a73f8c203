#pragma once
// Numbers as people read them, and text that is safe inside a page.
#include <string>
#include <string_view>

namespace fresco::report {

/// Three digits that count: "0.0412", "1.23", "45.6", "789", "12,346".
std::string figure(double value);
/// "41.2 ms", "1.23 s"
std::string seconds_text(double seconds);
/// "12.3 MB", "4.26 GB"
std::string bytes_text(double bytes);
/// "5.9 M", "860 M"
std::string millions_text(double count);
/// "307 G", "12.3 T"
std::string giga_text(double count);

/// Text for HTML and attributes in double quotes: & < > " ' as entities; bytes that are no UTF-8, and control characters, as U+FFFD.
std::string escaped(std::string_view text);

}  // namespace fresco::report

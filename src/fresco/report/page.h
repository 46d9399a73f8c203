#pragma once
// What pages that need nothing beside them are put together from: no script, nothing is fetched.
#include <string>

#include "fresco/image/picture.h"

namespace fresco::report {

/// A whole page. `title` is plain text; `style` comes behind kPageStyle; `body` is HTML and stands in one column.
std::string page(const std::string& title, const std::string& style, const std::string& body);

/// A card with a heading; `words` explain it, or are empty. All three are HTML.
std::string section(const std::string& title, const std::string& words, const std::string& content);

/// A picture as the source of an <img>: a small one without loss, a larger one as WebP of that quality.
std::string picture_source(const image::Picture& picture, int quality = 90);

/// A round number of at most `most` / 2 that divides an axis into two to five parts: 1, 2 or 5 times a power of ten.
double tick_distance(double most);

}  // namespace fresco::report

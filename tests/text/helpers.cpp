#include "tests/text/helpers.h"

#include <cstdlib>
#include <fstream>

namespace fresco::text {

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "fresco_text_XXXXXX").string();
  if (!mkdtemp(name.data())) std::abort();
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

TemporaryFolder& TemporaryFolder::write(const std::string& name, std::string_view content) {
  std::ofstream(path_ / name, std::ios::binary) << content;
  return *this;
}

}  // namespace fresco::text

#include "report_folder.h"

#include <fmt/format.h>
#include <unistd.h>

#include "fresco/core/error.h"
#include "fresco/core/files.h"

namespace fresco::cli {
namespace {

namespace fs = std::filesystem;

/// Makes the folder and takes it away again: whether that works is not told by its parent's permissions alone.
void check_can_make(const fs::path& folder, const std::string& where) {
  std::error_code failed;
  if (fs::create_directory(folder, failed)) fs::remove(folder, failed);
  if (failed) throw InputError(where, "folder cannot be written: " + failed.message());
}

/// Remembers what was made, and removes it again unless all went well.
class Undo {
 public:
  ~Undo() {
    std::error_code ignored;
    for (auto path = made_.rbegin(); path != made_.rend(); ++path) fs::remove(*path, ignored);
  }
  void made(const fs::path& path) { made_.push_back(path); }
  void keep_all() { made_.clear(); }

 private:
  std::vector<fs::path> made_;
};

void make_folder(const fs::path& folder, Undo& undo) {
  std::error_code failed;
  if (fs::create_directory(folder, failed)) undo.made(folder);
  if (failed) throw InputError(folder.string(), "cannot make this folder: " + failed.message());
}

}  // namespace

fs::path free_folder(const std::string& name) {
  std::error_code ignored;
  fs::path folder = name;
  for (int number = 2; fs::exists(fs::symlink_status(folder, ignored)); ++number)
    folder = fmt::format("{}-{}", name, number);
  return folder;
}

std::vector<std::string> report_files(const std::vector<std::string>& pictures) {
  std::vector<std::string> files{"report.html", "report.json"};
  for (const char* side : {"a/", "b/"}) {
    for (const std::string& picture : pictures) files.push_back(side + picture);
  }
  return files;
}

void check_report_folder(const fs::path& folder, bool overwrite) {
  const std::string where = fmt::format("--out {}", folder.string());
  std::error_code ignored;
  if (folder.empty()) throw InputError("--out", "expected the name of a folder, got none");
  if (fs::is_directory(folder, ignored)) {
    check_can_make(folder / fmt::format(".fresco-{}", ::getpid()), where);
    return check_report_files(folder, {"report.html", "report.json"}, overwrite);
  }
  if (fs::exists(folder, ignored)) throw InputError(where, "expected a folder, got a file");
  const fs::path plain = folder.has_filename() ? folder : folder.parent_path();  // without a slash at its end
  const fs::path parent = plain.has_parent_path() ? plain.parent_path() : fs::path(".");
  if (!fs::is_directory(parent, ignored)) throw InputError(where, fmt::format("no such folder: {}", parent.string()));
  check_can_make(plain, where);
}

void check_report_files(const fs::path& folder, const std::vector<std::string>& files, bool overwrite) {
  std::error_code ignored;
  for (const std::string& file : files) {
    const fs::path target = folder / file;
    const fs::path inner = target.parent_path();
    if (inner != folder && fs::exists(inner, ignored) && !fs::is_directory(inner, ignored))
      throw InputError(fmt::format("--out {}", inner.string()), "expected a folder, got a file");
    if (fs::is_directory(inner, ignored)) check_writable(target, overwrite);
  }
}

void write_report(const fs::path& folder, const std::vector<NamedBytes>& files, bool overwrite) {
  Undo undo;
  make_folder(folder, undo);
  for (const auto& [name, bytes] : files) {
    const fs::path target = folder / name;
    make_folder(target.parent_path(), undo);
    const bool existed = fs::exists(target);
    write_file(target, bytes, overwrite);
    if (!existed) undo.made(target);
  }
  undo.keep_all();
}

}  // namespace fresco::cli

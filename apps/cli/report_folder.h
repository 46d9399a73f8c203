#pragma once
// The folder that a comparison leaves: checked before the work, written after it.
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fresco::cli {

/// `name`, or with -2, -3, ... where that is taken.
std::filesystem::path free_folder(const std::string& name);

/// Names inside the folder: report.html, report.json, and a/ and b/ with a file for every picture.
std::vector<std::string> report_files(const std::vector<std::string>& pictures);

/// Errors: InputError when the folder cannot be written or made, or holds a report and that is not to be replaced.
void check_report_folder(const std::filesystem::path& folder, bool overwrite);
/// Errors: InputError when one of the files exists, without `overwrite`.
void check_report_files(const std::filesystem::path& folder, const std::vector<std::string>& files, bool overwrite);

/// A name inside the folder, and what goes into that file.
using NamedBytes = std::pair<std::string, std::string>;

/// Writes all, each file whole or not at all, and takes back what it made when one fails.
void write_report(const std::filesystem::path& folder, const std::vector<NamedBytes>& files, bool overwrite);

}  // namespace fresco::cli

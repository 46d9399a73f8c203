#include "fresco/hub/listing.h"

#include <fmt/format.h>

#include <charconv>

#include "fresco/core/json.h"
#include "fresco/hub/names.h"

namespace fresco::hub {
namespace {

std::string header(const HttpReply& reply, const char* name) {
  const auto found = reply.headers.find(name);
  return found == reply.headers.end() ? std::string() : found->second;
}

/// W/"abc" and "abc" are abc.
std::string bare_etag(std::string text) {
  if (text.starts_with("W/")) text.erase(0, 2);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  return text;
}

uint64_t read_size(const Json& entry, const std::string& where) {
  const auto size = json_value<int64_t>(entry, "size", 0, where);
  if (size < 0) throw FormatError(where, expected_got("a size", std::to_string(size)));
  return static_cast<uint64_t>(size);
}

void check_etag(const std::string& etag, const std::string& where) {
  if (!is_blob_name(etag)) throw FormatError(where, expected_got("the name of a blob", printable(etag)));
}

RemoteFile read_file_entry(const Json& entry, const std::string& id) {
  if (!entry.is_object()) throw FormatError(id, "the hub's listing: expected files as objects");
  RemoteFile file;
  file.path = json_value<std::string>(entry, "rfilename", "", id);
  const std::string where = fmt::format("{}: {}", id, printable(file.path));
  if (!stays_inside(file.path)) throw FormatError(where, "the hub lists a file name that leads out of its folder");
  file.size = read_size(entry, where);
  file.etag = json_value<std::string>(entry, "blobId", "", where);
  if (const auto large = entry.find("lfs"); large != entry.end() && large->is_object()) {
    file.etag = json_value<std::string>(*large, "sha256", "", where);
    file.size = read_size(*large, where);
  }
  if (!file.etag.empty()) check_etag(file.etag, where);
  return file;
}

Listing read_listing(const std::string& text, const std::string& id) {
  const Json json = parse_json(text, fmt::format("{}: the hub's listing", id));
  if (!json.is_object()) throw FormatError(id, "the hub's listing: expected an object");
  Listing listing;
  listing.commit = json_value<std::string>(json, "sha", "", id);
  if (!is_commit(listing.commit))
    throw FormatError(id, "the hub's listing: " + expected_got("a commit of 40 digits", printable(listing.commit)));
  const auto files = json.find("siblings");
  if (files == json.end() || !files->is_array())
    throw FormatError(id, "the hub's listing: expected a list \"siblings\"");
  for (const auto& entry : *files) listing.files.push_back(read_file_entry(entry, id));
  return listing;
}

}  // namespace

void throw_refused(const HttpReply& reply, const Settings& settings, const std::string& id, const std::string& what) {
  const std::string page = fmt::format("{}/{}", settings.endpoint, id);
  const std::string code = header(reply, "x-error-code");
  const bool has_token = !settings.token.empty();
  if (code == "GatedRepo" || reply.status == 403) {
    throw InputError(id, fmt::format("access needs its licence accepted at {}{}", page,
                                     has_token ? " by the account whose token is set"
                                               : ", and a token of that account in HF_TOKEN"));
  }
  if (reply.status == 401) {
    throw InputError(id, has_token
                             ? fmt::format("no such model, or the token in use may not read it (see {})", page)
                             : fmt::format("no such model, or a private one: see {}; a private model needs a token "
                                           "in HF_TOKEN",
                                           page));
  }
  if (code == "RepoNotFound") throw InputError(id, fmt::format("no such model at {}", settings.endpoint));
  if (reply.status == 404)
    throw InputError(id, fmt::format("no such {}{} at {}", code.empty() ? "model, or no such " : "", what, page));
  throw ResourceError(id, fmt::format("{}: {} refuses with HTTP {}", what, settings.endpoint, reply.status));
}

Listing fetch_listing(HttpClient& client, const Settings& settings, const std::string& id,
                      const std::string& revision) {
  const std::string url =
      fmt::format("{}/api/models/{}/revision/{}?blobs=true", settings.endpoint, id, url_encoded(revision, false));
  const HttpReply reply = client.ask({.url = url, .sink = {}}, id);
  if (reply.status != 200) throw_refused(reply, settings, id, fmt::format("revision \"{}\"", revision));
  return read_listing(reply.body, id);
}

void complete_file(HttpClient& client, const Settings& settings, const std::string& id, const std::string& commit,
                   RemoteFile& file) {
  if (!file.etag.empty()) return;
  const std::string where = fmt::format("{}: {}", id, file.path);
  const HttpReply reply =
      client.ask({.url = file_url(settings, id, commit, file.path), .head = true, .sink = {}}, where);
  if (reply.status != 200) throw_refused(reply, settings, id, "file " + file.path);
  const auto first_of = [&](const char* name, const char* other) {
    const auto value = header(reply, name);
    return value.empty() ? header(reply, other) : value;
  };
  file.etag = bare_etag(first_of("x-linked-etag", "etag"));
  check_etag(file.etag, where);
  const std::string size = first_of("x-linked-size", "content-length");
  const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), file.size);
  if (error != std::errc() || end != size.data() + size.size())
    throw FormatError(where, expected_got("a size in the hub's answer", printable(size)));
}

std::string file_url(const Settings& settings, const std::string& id, const std::string& commit,
                     const std::string& path) {
  return fmt::format("{}/{}/resolve/{}/{}", settings.endpoint, id, commit, url_encoded(path, true));
}

}  // namespace fresco::hub

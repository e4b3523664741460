#include "core/folder_stamp.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <vector>

namespace vinery {
namespace {

std::string Describe(const std::filesystem::directory_entry& entry) {
  std::error_code fault;
  const auto size = entry.file_size(fault);
  const auto changed = entry.last_write_time(fault).time_since_epoch().count();
  return entry.path().string() + ":" + std::to_string(size) + ":" + std::to_string(changed) + "\n";
}

template <typename Entries>
void CollectAll(Entries entries, const std::string& prefix, std::vector<std::string>& lines) {
  std::error_code fault;
  for (; !fault && entries != Entries(); entries.increment(fault)) {
    const bool is_file = entries->is_regular_file(fault);
    if (is_file && entries->path().filename().string().rfind(prefix, 0) == 0) lines.push_back(Describe(*entries));
  }
}

}  // namespace

std::string FolderStamp(const std::string& model_path) {
  const std::filesystem::path path(model_path);
  std::error_code fault;
  std::vector<std::string> lines;
  if (std::filesystem::is_directory(path, fault)) {
    CollectAll(std::filesystem::recursive_directory_iterator(path, fault), "", lines);
  } else {
    // Weights are beside their model under the same name; those of ONNX under any.
    const std::string prefix = path.extension() == ".onnx" ? "" : path.stem().string();
    CollectAll(std::filesystem::directory_iterator(path.parent_path(), fault), prefix, lines);
  }
  std::sort(lines.begin(), lines.end());
  std::string stamp;
  for (const std::string& line : lines) stamp += line;
  return stamp;
}

}  // namespace vinery

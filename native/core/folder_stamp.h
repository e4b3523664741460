#pragma once

#include <string>

namespace vinery {

/// Tells the files of a model from others: names, sizes and times of their last change. The same while nobody writes
/// there; empty when they cannot be read.
std::string FolderStamp(const std::string& model_path);

}  // namespace vinery

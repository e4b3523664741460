#pragma once

#include <memory>
#include <openvino/core/model.hpp>

namespace vinery {

/// Puts checks before operations that would read beyond their inputs, end the process or never end, where values of a
/// request could make them. In the bodies of loops and branches, too.
///
/// @throws ov::Exception where values that no request changes are wrong, and where an operation can neither be checked
/// nor be left unchecked.
/// @returns a copy with the checks; the model itself where it needs none.
std::shared_ptr<ov::Model> GuardValues(const std::shared_ptr<ov::Model>& model);

}  // namespace vinery

#pragma once

#include <openvino/core/model.hpp>

namespace vinery {

/// Whether an inference over an input without elements may answer what the inference before it answered. OpenVINO
/// 2026.4.1 skips an operation whose input has no elements; where only the values tell the shape of the output, that of
/// the last inference stays, with its values. Any thread may ask.
bool NeedsElements(const ov::Model& model);

}  // namespace vinery

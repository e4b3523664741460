#pragma once

#include <openvino/core/model.hpp>
#include <string>

namespace vinery {

/// What is said of an input that must not be empty.
inline constexpr const char* kNoElements = "expected at least one element, received none";

/// Whether an inference over an input without elements may answer what the inference before it answered. OpenVINO
/// 2026.4.1 skips an operation whose input has no elements; where only the values tell the shape of the output, that of
/// the last inference stays, with its values. Any thread may ask.
bool NeedsElements(const ov::Model& model);

/// Finds the first operation that does not work without elements in an input that has none. OpenVINO 2026.4.1 skips
/// most operations then: an output that has elements keeps what lay in its memory, such as the answer to another
/// request. Other operations end the process.
///
/// For a model whose inputs have fixed shapes, the bodies of its loops and branches included. Sizes that only an
/// inference tells, and what is made of constants alone, are not looked at.
///
/// @returns a sentence with the operation and the shape; empty when there is none.
std::string FindStarved(const ov::Model& model);

}  // namespace vinery

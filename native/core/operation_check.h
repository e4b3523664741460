#pragma once

#include <openvino/core/model.hpp>

namespace vinery {

/// Rules of OpenVINO's operations that its shape inference does not check (2026.4.1), and whose breach has the CPU
/// plug-in read or write beyond its memory, with open and with fixed shapes. For a model whose inputs have fixed
/// shapes, the bodies of its loops and branches included; what only an inference tells is not looked at.
///
/// Throws `std::invalid_argument` with a sentence that names the operation.
void CheckOperations(const ov::Model& model);

}  // namespace vinery

#pragma once

#include <openvino/core/model.hpp>
#include <openvino/runtime/compiled_model.hpp>
#include <string>

namespace vinery {

/// Why a compilation must not be inferred with shapes of its inputs that are open; empty when it may be.
///
/// The CPU plug-in drops some conversions, such as f32 to f16 and back, after which an output may be nothing but its
/// input. Inferred with an open shape, such a compilation answers wrong numbers and writes over freed memory
/// (2026.4.1). With fixed shapes it is right, and so is an output that the model itself makes of an input.
/// @param model that was compiled.
std::string FindPassedInput(const ov::Model& model, const ov::CompiledModel& compiled);

}  // namespace vinery

#pragma once

#include <cstdint>
#include <functional>
#include <openvino/core/model.hpp>
#include <openvino/runtime/compiled_model.hpp>
#include <optional>
#include <string>

#include "core/shape_check.h"
#include "core/status.h"

namespace vinery {

using CompileForTrial = std::function<Status(const std::shared_ptr<ov::Model>& model, ov::CompiledModel& compiled)>;

/// What a model with open dimensions computes otherwise than one with fixed shapes: the operation, with its type and
/// name; empty when no such operation is known. The CPU plug-in converts to integers of 8 bits, and divides them, by
/// other rules (2026.4.1), quantized networks differ in their last bits, and recurrent operations take all steps.
std::string FindOtherwiseComputed(const ov::Model& model);

/// Shapes that a model is tried with: its own where they are fixed. Nothing when none was found that the model takes.
/// @param size for other dimensions than the first, as far as their bounds allow.
std::optional<InputShapes> TrialShapes(const ov::Model& model, std::int64_t rows, std::int64_t size);

/// Compares, bit for bit, what two compilations of a model answer to the same invented inputs: floats of several
/// ranges, narrow integers of their whole range, wide ones that may be places in a table.
/// @param open answers `count` copies of the shapes at once, joined along the first dimension, each with other values.
/// @returns a sentence that says what differs; empty when nothing does.
std::string CompareAnswers(const ov::CompiledModel& open, const ov::CompiledModel& fixed, const InputShapes& shapes,
                           std::size_t count);

}  // namespace vinery

#pragma once

#include <memory>
#include <openvino/core/model.hpp>
#include <vector>

#include "core/status.h"

namespace vinery {

/// The shapes of the inputs of one inference, in the order of the inputs.
using InputShapes = std::vector<ov::Shape>;

/// Whether a request can choose a size of an input.
bool HasOpenInputs(const ov::Model& model);

/// The shapes of inputs that are all fixed.
InputShapes FixedInputs(const ov::Model& model);

/// Whether the shape of everything in a model is known before it is inferred, also within its loops and branches.
bool IsStaticInside(const ov::Model& model);

/// A copy of a model that says which shapes go together, without its weights: large constants became parameters. It
/// costs a few megabytes, whatever the model weighs.
std::shared_ptr<ov::Model> WithoutWeights(const ov::Model& model);

/// `kBindingFailed` when an input of the model is never of such a shape. Reshaping a copy would not refuse it.
Status CheckBounds(const ov::Model& model, const InputShapes& shapes);

/// A copy of a model for these shapes alone, which shares its constants. The plug-ins do not check every operation when
/// they infer (a MatMul with constant weights reads beyond rows that are too short, OpenVINO 2024.6 to 2026.4.1); the
/// model's own operations do. `kReshapeFailed`, beginning with the shapes, when one refuses. `kBindingFailed`,
/// beginning with the input, when that has no elements and an operation does not work without them
/// (`core/empty_inputs.h`).
Status FitShapes(const ov::Model& model, const InputShapes& shapes, std::shared_ptr<ov::Model>& fitted);

}  // namespace vinery

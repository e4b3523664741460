#pragma once

#include <map>
#include <openvino/runtime/infer_request.hpp>
#include <string>

#include "core/status.h"

namespace vinery {

/// Values of a model's variables by their names: the memory of a sequence between two inferences. The tensors are
/// copies of their own and never change after they were made.
using SequenceState = std::map<std::string, ov::Tensor>;

/// Gives every variable of an idle infer request the value the model says it begins with.
Status ResetState(ov::InferRequest& request);

/// Gives every variable of an idle infer request its value; a fault when the state lacks one.
Status LoadState(ov::InferRequest& request, const SequenceState& state);

/// Copies the values that an inference has left behind. The request runs no more; within its callback counts as that.
Status SaveState(ov::InferRequest& request, SequenceState& state);

}  // namespace vinery

#include "core/sequence_state.h"

#include <stdexcept>

#include "core/openvino_fault.h"
#include "core/tensor_copy.h"

namespace vinery {

Status ResetState(ov::InferRequest& request) {
  return Guard(StatusCode::kBindingFailed, [&] {
    for (auto& variable : request.query_state()) variable.reset();
  });
}

Status LoadState(ov::InferRequest& request, const SequenceState& state) {
  return Guard(StatusCode::kBindingFailed, [&] {
    for (auto& variable : request.query_state()) {
      const auto found = state.find(variable.get_name());
      if (found == state.end()) throw std::logic_error("the sequence has no value of variable " + variable.get_name());
      variable.set_state(found->second);
    }
  });
}

Status SaveState(ov::InferRequest& request, SequenceState& state) {
  return Guard(StatusCode::kOutputFailed, [&] {
    SequenceState saved;
    for (const auto& variable : request.query_state()) {
      // OpenVINO may hand out the memory that the next inference writes.
      const ov::Tensor value = variable.get_state();
      ov::Tensor copy(value.get_element_type(), value.get_shape());
      CopyTensor(value, copy);
      saved.emplace(variable.get_name(), std::move(copy));
    }
    state = std::move(saved);
  });
}

}  // namespace vinery

#pragma once

#include <cstdint>
#include <memory>
#include <openvino/core/model.hpp>
#include <openvino/runtime/compiled_model.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/compile_specification.h"

namespace vinery {

struct PortDescription {
  /// Sorted; empty for a nameless output.
  std::vector<std::string> names;
  std::string element_type;
  /// Absent when the rank is unknown.
  std::optional<std::vector<DimensionRange>> dimensions;
  /// Without brackets, for example `NHWC`; empty when the model does not say.
  std::string layout;
};

/// One entry of what a model says of itself: a text, or entries inside it, sorted by name.
struct ModelInfo {
  std::string name;
  std::variant<std::string, std::vector<ModelInfo>> value;
};

/// A compiled model as OpenVINO describes it; ports in OpenVINO's order.
struct ModelDescription {
  std::vector<PortDescription> inputs;
  std::vector<PortDescription> outputs;
  std::uint32_t optimal_infer_requests = 1;
  std::uint32_t streams = 1;
  /// `rt_info/model_info` of the model file; absent when it has none.
  std::optional<std::vector<ModelInfo>> model_info;
  /// Whether an inference can fail after it has begun: when a shape is only known then, or an operation is not
  /// OpenVINO's own.
  bool may_fail_inside = true;
  /// Whether an infer request remembers something from one inference to the next.
  bool has_state = false;
  /// Whether the device was asked for several streams and has one (`core/stream_guard.h`).
  bool limited_to_one_stream = false;
};

/// Ports come from the compiled model; layouts and what the model says of itself come from the model it was compiled
/// from, since compiling drops them.
ModelDescription Describe(const ov::CompiledModel& compiled, const ov::Model& model);

/// Gives the ports the shapes that they have in another model: in that before its batch was opened.
void TakeShapes(ModelDescription& description, const ov::Model& model);

}  // namespace vinery

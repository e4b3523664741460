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
#include "core/port_names.h"
#include "core/stream_guard.h"

namespace vinery {

struct PortDescription {
  /// What clients call it.
  std::string name;
  /// Those of its tensor, sorted; empty for a nameless port.
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
  /// Whether the values of a request can make an inference fail after it has begun (`core/data_faults.h`).
  bool may_fail_inside = true;
  /// Whether an input without elements may be answered with what the inference before left (`core/empty_inputs.h`).
  bool needs_elements = false;
  /// Why each combination of shapes is compiled by itself; empty when one compilation serves all of them.
  std::string compiled_by_shape;
  /// Whether an infer request remembers something from one inference to the next.
  bool has_state = false;
  SharedConstants shared_constants = SharedConstants::kUntouched;
  /// Whether the device found the compiled model in the cache; false where it does not tell.
  bool loaded_from_cache = false;
};

/// Element types and shapes come from the compiled model. Layouts and what the model says of itself come from the model
/// it was compiled from, and so do names. Compiling drops layouts, and may rename a tensor or give it more names.
ModelDescription Describe(const ov::CompiledModel& compiled, const ov::Model& model, const PortNames& names);

/// Gives the ports the shapes that they have in another model: in that before its batch was opened.
void TakeShapes(ModelDescription& description, const ov::Model& model);

}  // namespace vinery

#pragma once

#include <memory>
#include <openvino/runtime/core.hpp>

#include "core/compile_specification.h"
#include "core/port_names.h"
#include "core/status.h"

namespace vinery {

/// A model on its way to a compilation.
struct PreparedModel {
  std::shared_ptr<ov::Model> source;
  /// What requests see of it: the model before its batch was opened or its loops were taken apart, which both change
  /// its insides, else the source.
  std::shared_ptr<const ov::Model> served;
  /// With the shapes of its file; null unless the configuration opens them.
  std::shared_ptr<const ov::Model> usual;
  PortNames names;
};

/// Whether the configuration leaves sizes to requests. The reference compiles such a model for the sizes of a request.
bool OpensShapes(const CompileSpecification& specification);

/// The properties of a compilation.
ov::AnyMap ToAnyMap(const CompileSpecification& specification);

/// Reads, names the ports, arranges layouts, preprocesses, reshapes, opens the batch and takes loops apart. Each phase
/// has its own status code.
Status Prepare(ov::Core& core, const CompileSpecification& specification, PreparedModel& prepared);

}  // namespace vinery

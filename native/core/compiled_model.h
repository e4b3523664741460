#pragma once

#include <atomic>
#include <memory>
#include <openvino/runtime/core.hpp>

#include "core/compile_specification.h"
#include "core/model_description.h"
#include "core/sequence_table.h"
#include "core/status.h"

namespace vinery {

/// A model that a device can run. Immutable, but for what is known of it, and shared: the registry, handles and infer
/// requests hold it, on any thread, and the last of them frees it. It keeps the core alive, because the plug-in that
/// runs it belongs to the core.
class CompiledModel {
 public:
  /// @param source what was compiled.
  /// @param served what requests see of it: the model before its batch was opened or its loops were taken apart, else
  /// the source.
  /// @param sequences null unless the model is stateful.
  CompiledModel(std::shared_ptr<ov::Core> core, ov::CompiledModel compiled, const ov::Model& source,
                const ov::Model& served, std::shared_ptr<SequenceTable> sequences);

  /// Reads, arranges layouts, preprocesses, reshapes, opens the batch, takes loops apart and compiles; blocks for as
  /// long as that takes. Each phase has its own status code.
  static Status Compile(const std::shared_ptr<ov::Core>& core, const CompileSpecification& specification,
                        std::shared_ptr<const CompiledModel>& model);

  const ModelDescription& description() const { return description_; }
  const ov::CompiledModel& compiled() const { return compiled_; }
  bool may_fail_inside() const { return description_.may_fail_inside; }
  /// Whether `CPU_DENORMALS_OPTIMIZATION` is on. OpenVINO sees to it on its streams' threads only.
  bool flushes_denormals() const { return flushes_denormals_; }
  /// Whether an inference has succeeded where failures are reported (`InferRequest::Infer`).
  bool has_succeeded() const { return has_succeeded_.load(std::memory_order_relaxed); }
  void MarkSucceeded() const { has_succeeded_.store(true, std::memory_order_relaxed); }
  /// Null unless the model is stateful.
  const std::shared_ptr<SequenceTable>& sequences() const { return sequences_; }

 private:
  std::shared_ptr<ov::Core> core_;
  ov::CompiledModel compiled_;
  ModelDescription description_;
  bool flushes_denormals_;
  mutable std::atomic<bool> has_succeeded_ = false;
  std::shared_ptr<SequenceTable> sequences_;
};

}  // namespace vinery

#pragma once

#include <atomic>
#include <memory>
#include <openvino/runtime/core.hpp>

#include "core/compile_specification.h"
#include "core/model_description.h"
#include "core/sequence_table.h"
#include "core/shape_table.h"
#include "core/status.h"
#include "core/stream_guard.h"
#include "core/thread_pool.h"

namespace vinery {

/// Threads of the process that models use besides OpenVINO's.
struct ModelThreads {
  /// For inferences of models without streams of their own.
  std::shared_ptr<ThreadPool> inference;
  /// For what requests of other shapes wait for.
  std::shared_ptr<ShapeThreads> shapes;
};

/// A model that a device can run. Immutable, but for what is known of it, and shared: the registry, handles and infer
/// requests hold it, on any thread, and the last of them frees it. It keeps the core alive, because the plug-in that
/// runs it belongs to the core.
class CompiledModel {
 public:
  /// @param guarded the compiled model.
  /// @param source what was compiled.
  /// @param served what requests see of it: the model before its batch was opened or its loops were taken apart, else
  /// the source.
  /// @param names of the ports.
  /// @param sequences null unless the model is stateful.
  /// @param shapes null unless inputs have open dimensions, or shapes inside are learned from values.
  /// @param threads for inferences of a model without streams of its own.
  CompiledModel(std::shared_ptr<ov::Core> core, GuardedModel guarded, const ov::Model& source, const ov::Model& served,
                const PortNames& names, std::shared_ptr<SequenceTable> sequences, std::shared_ptr<ShapeTable> shapes,
                std::shared_ptr<ThreadPool> threads);

  /// Once, before it is shared, for a model with a table of shapes. @param first the shapes that it was compiled for,
  /// and @param reason why it is compiled for each combination of shapes; empty unless it is.
  void BeginShapes(const InputShapes& first, std::string reason);

  /// Reads, names the ports, arranges layouts, preprocesses, reshapes, opens the batch, takes loops apart and compiles;
  /// blocks for as long as that takes. Each phase has its own status code. Where the configuration leaves sizes to
  /// requests, or joins requests, the answers are compared with those of fixed shapes.
  static Status Compile(const std::shared_ptr<ov::Core>& core, const ModelThreads& threads,
                        const CompileSpecification& specification, std::shared_ptr<const CompiledModel>& model);

  const ModelDescription& description() const { return description_; }
  /// Empty for a model with a table of shapes, which tells which compilation infers them.
  const ov::CompiledModel& compiled() const { return compiled_; }
  /// Null unless requests choose sizes of the inputs, or their values those of something inside.
  const std::shared_ptr<ShapeTable>& shapes() const { return shapes_; }
  bool may_fail_inside() const { return description_.may_fail_inside; }
  /// Whether `CPU_DENORMALS_OPTIMIZATION` is on. OpenVINO sees to it on its streams' threads only.
  bool flushes_denormals() const { return flushes_denormals_; }
  /// Whether an inference has succeeded where failures are reported (`InferRequest::Infer`).
  bool has_succeeded() const { return has_succeeded_.load(std::memory_order_relaxed); }
  void MarkSucceeded() const { has_succeeded_.store(true, std::memory_order_relaxed); }
  /// Null unless the model is stateful.
  const std::shared_ptr<SequenceTable>& sequences() const { return sequences_; }
  /// Null unless the model has no streams of its own: then its inferences run on the thread that calls, and what must
  /// not run there runs on one of these. Each stream has a thread, and so has the end of its inferences.
  const std::shared_ptr<ThreadPool>& threads() const { return threads_; }

 private:
  std::shared_ptr<ov::Core> core_;
  ov::CompiledModel compiled_;
  ModelDescription description_;
  bool flushes_denormals_;
  mutable std::atomic<bool> has_succeeded_ = false;
  std::shared_ptr<SequenceTable> sequences_;
  std::shared_ptr<ShapeTable> shapes_;
  std::shared_ptr<ThreadPool> threads_;
};

}  // namespace vinery

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/compiled_model.h"
#include "core/entry_table.h"
#include "core/status.h"
#include "core/thread_pool.h"

namespace vinery {

/// One per process (`ProcessWide`), whatever the number of JavaScript threads: a model is compiled once and used by all
/// of them. Environments hold it. Every function may be called on any thread.
class ModelRegistry {
 public:
  ModelRegistry();
  ModelRegistry(const ModelRegistry&) = delete;
  ModelRegistry& operator=(const ModelRegistry&) = delete;
  ModelRegistry(ModelRegistry&&) = delete;
  ModelRegistry& operator=(ModelRegistry&&) = delete;
  /// Waits for inferences on the threads of models without streams. Goes with the last environment.
  ~ModelRegistry();

  std::uint32_t Reserve() { return models_.Reserve(); }

  /// Enters a compiled model once more, under a number that is released by itself.
  std::uint32_t Share(std::shared_ptr<const CompiledModel> model) { return models_.Add(std::move(model)); }

  /// Compiles into a reserved entry. Blocks without a lock, so others go on. `kNotCompiled` when the entry is unknown,
  /// in use already, or released meanwhile; after another fault the entry is empty again.
  Status Compile(std::uint32_t id, const CompileSpecification& specification);

  /// Drops the entry; who uses the model goes on using it.
  void Release(std::uint32_t id) { models_.Release(id); }

  bool IsKnown(std::uint32_t id) const { return models_.IsKnown(id); }

  /// Leaves every model that is here now to the end of the process, whoever releases it. OpenVINO trims the whole heap
  /// at the end of each model, so to free many takes seconds.
  void LeaveToProcess() const;

  /// `kNotCompiled` when the entry is unknown or nothing was compiled into it.
  Status Find(std::uint32_t id, std::shared_ptr<const CompiledModel>& model) const { return models_.Find(id, model); }

  Status AddExtension(const std::string& library_path);
  Status ListDevices(std::vector<std::string>& devices) const;

 private:
  std::shared_ptr<ov::Core> core_;
  ModelThreads threads_;
  EntryTable<CompiledModel> models_;
};

}  // namespace vinery

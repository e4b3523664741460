#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/compiled_model.h"
#include "core/status.h"

namespace vinery {

/// One per process, whatever the number of JavaScript threads: a model is compiled once and used by all of them.
/// Every function may be called on any thread.
class ModelRegistry {
 public:
  /// The registry of the process; the first caller makes it and the last holder destroys it. Environments hold it, so
  /// the core ends with the last environment, while threads still run, and not among the static destructors of other
  /// libraries.
  static std::shared_ptr<ModelRegistry> Shared();

  ModelRegistry();

  std::uint32_t Reserve();

  /// Compiles into a reserved entry. Blocks without a lock, so others go on. `kNotCompiled` when the entry is unknown,
  /// in use already, or released meanwhile; after another fault the entry is empty again.
  Status Compile(std::uint32_t id, const CompileSpecification& specification);

  /// Drops the entry; who uses the model goes on using it.
  void Release(std::uint32_t id);

  /// `kNotCompiled` when the entry is unknown or nothing was compiled into it.
  Status Find(std::uint32_t id, std::shared_ptr<const CompiledModel>& model) const;

  Status AddExtension(const std::string& library_path);
  Status ListDevices(std::vector<std::string>& devices) const;

 private:
  struct Entry {
    bool taken = false;
    std::shared_ptr<const CompiledModel> model;
  };
  Status Take(std::uint32_t id);
  Status Store(std::uint32_t id, std::shared_ptr<const CompiledModel> model);

  std::shared_ptr<ov::Core> core_;
  mutable std::mutex mutex_;
  std::unordered_map<std::uint32_t, Entry> entries_;
  std::uint32_t last_id_ = 0;
};

}  // namespace vinery

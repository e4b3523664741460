#pragma once

#include <cstdint>
#include <memory>

#include "core/custom_node.h"
#include "core/entry_table.h"
#include "core/status.h"
#include "core/thread_pool.h"

namespace vinery {

/// One per process (`ProcessWide`): a custom node is initialized once and used by all JavaScript threads. Brings the
/// threads that execute and deinitialize. Environments hold it. Every function may be called on any thread.
class CustomNodeRegistry {
 public:
  CustomNodeRegistry();
  CustomNodeRegistry(const CustomNodeRegistry&) = delete;
  CustomNodeRegistry& operator=(const CustomNodeRegistry&) = delete;
  CustomNodeRegistry(CustomNodeRegistry&&) = delete;
  CustomNodeRegistry& operator=(CustomNodeRegistry&&) = delete;
  /// Waits until everything queued has run, deinitializing included. Goes with the last environment.
  ~CustomNodeRegistry();

  std::uint32_t Reserve() { return nodes_.Reserve(); }

  /// Loads and initializes into a reserved entry. Blocks without a lock. `kNotInitialized` when the entry is unknown,
  /// in use already, or released meanwhile; after another fault the entry is empty again.
  Status Initialize(std::uint32_t id, const CustomNodeSpecification& specification);

  /// Drops the entry; who uses the node goes on using it.
  void Release(std::uint32_t id) { nodes_.Release(id); }

  /// `kNotInitialized` when the entry is unknown or nothing was initialized into it.
  Status Find(std::uint32_t id, std::shared_ptr<const CustomNode>& node) const { return nodes_.Find(id, node); }

  const std::shared_ptr<ThreadPool>& threads() const { return threads_; }

 private:
  std::shared_ptr<ThreadPool> threads_;
  EntryTable<CustomNode> nodes_;
};

}  // namespace vinery

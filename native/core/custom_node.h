#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/custom_node_abi.h"
#include "core/custom_node_library.h"
#include "core/status.h"
#include "core/thread_pool.h"

namespace vinery {

/// What to load and how to initialize it; `CustomNodeSpecification` of `src/native/binding.ts` with the same fields.
struct CustomNodeSpecification {
  /// Absolute.
  std::string library_path;
  std::vector<std::pair<std::string, std::string>> params;
};

struct CustomNodePort {
  std::string name;
  /// A known number of `kCustomNodePrecisions`.
  std::int32_t precision = 0;
  /// 0: dynamic.
  std::vector<std::uint64_t> dimensions;
};

/// What a library says of a custom node, ports in its order.
struct CustomNodeDescription {
  std::vector<CustomNodePort> inputs;
  std::vector<CustomNodePort> outputs;
};

class CustomNode;

/// Memory that a library has handed over goes back through the library's own `release`.
struct ReleaseThroughLibrary {
  const CustomNode* node = nullptr;
  void operator()(void* memory) const;
};
template <typename Element>
using LibraryMemory = std::unique_ptr<Element, ReleaseThroughLibrary>;

/// A tensor that an execution has returned. Not to outlive its node.
struct CustomNodeOutput {
  CustomNodePort port;
  std::uint64_t bytes = 0;
  LibraryMemory<std::uint8_t> data;
};

/// A node of a library, initialized with its params. Immutable and shared: the registry, handles and executions hold
/// it, on any thread. When the last of them is gone it is deinitialized on a thread of the pool, so never on an event
/// loop and never while it executes.
class CustomNode {
 public:
  /// Loads, initializes and asks for the description; blocks for as long as the library takes. `kLibraryFailed`,
  /// `kInitializeFailed`, `kMetadataFailed`.
  static Status Initialize(const CustomNodeSpecification& specification, const std::shared_ptr<ThreadPool>& threads,
                           std::shared_ptr<const CustomNode>& node);

  CustomNode(std::unique_ptr<const CustomNodeLibrary> library, const CustomNodeSpecification& specification);
  CustomNode(const CustomNode&) = delete;
  CustomNode& operator=(const CustomNode&) = delete;
  CustomNode(CustomNode&&) = delete;
  CustomNode& operator=(CustomNode&&) = delete;
  /// Deinitializes; blocks for as long as the library takes.
  ~CustomNode();

  const CustomNodeDescription& description() const { return description_; }

  /// Runs the library's `execute` here. Several threads may do so at once. After a fault `outputs` is empty.
  Status Execute(const std::vector<CustomNodeTensor>& inputs, std::vector<CustomNodeOutput>& outputs) const;

  /// Gives memory back to the library. Nothing can be done when it refuses: the memory is its own again.
  void Release(void* memory) const;

 private:
  Status Start();
  Status Describe(const char* name, CustomNodeFunctions::InfoFunction* function,
                  std::vector<CustomNodePort>& ports) const;
  const CustomNodeParam* params() const { return params_.empty() ? nullptr : params_.data(); }
  int params_count() const { return static_cast<int>(params_.size()); }

  std::unique_ptr<const CustomNodeLibrary> library_;
  const std::vector<std::pair<std::string, std::string>> texts_;
  /// They point into `texts_`.
  std::vector<CustomNodeParam> params_;
  void* manager_ = nullptr;
  bool initialized_ = false;
  CustomNodeDescription description_;
};

}  // namespace vinery

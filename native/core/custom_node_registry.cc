#include "core/custom_node_registry.h"

namespace vinery {
namespace {

/// A custom node that hangs takes one thread; this many must hang before others wait.
constexpr std::size_t kMostThreads = 64;
constexpr std::chrono::seconds kIdleTime{5};

}  // namespace

CustomNodeRegistry::CustomNodeRegistry()
    : threads_(std::make_shared<ThreadPool>(kMostThreads, kIdleTime)),
      nodes_({StatusCode::kNotInitialized, "custom node", "initialized"}) {}

CustomNodeRegistry::~CustomNodeRegistry() { threads_->Stop(); }

Status CustomNodeRegistry::Initialize(std::uint32_t id, const CustomNodeSpecification& specification) {
  return nodes_.Fill(id, [&](std::shared_ptr<const CustomNode>& node) {
    return CustomNode::Initialize(specification, threads_, node);
  });
}

}  // namespace vinery

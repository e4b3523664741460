#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>

#include "core/process_wide.h"
#include "core/shared_region_registry.h"
#include "napi/napi_setup.h"

namespace vinery {

/// What one environment has of clients' shared memory: its requests' uses, and the JavaScript memory it is mapped over.
/// Its thread only.
class SharedMemoryHolds {
 public:
  SharedRegionRegistry& registry() const { return *registry_; }

  Status Begin(const std::string& name, SharedRegionRegistry::Use& use);
  Status Map(std::uint32_t id, const Napi::Uint8Array& view, std::uint64_t& begin);
  bool IsBroken(std::uint32_t id) const { return registry_->IsBroken(id, this); }
  /// False when no request of this environment uses the region.
  bool End(std::uint32_t id);
  /// False while a request of this environment uses the region.
  bool Unmap(std::uint32_t id);
  /// The environment ends. Afterwards its memory may go.
  void ReleaseAll();

 private:
  std::shared_ptr<SharedRegionRegistry> registry_ = ProcessWide<SharedRegionRegistry>();
  std::unordered_map<std::uint32_t, std::uint32_t> uses_;
  /// Keep the memory that is mapped over.
  std::unordered_map<std::uint32_t, Napi::Reference<Napi::Uint8Array>> views_;
};

}  // namespace vinery

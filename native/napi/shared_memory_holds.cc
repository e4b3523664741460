#include "napi/shared_memory_holds.h"

namespace vinery {

Status SharedMemoryHolds::Begin(const std::string& name, SharedRegionRegistry::Use& use) {
  if (Status status = registry_->Begin(name, this, use); !status.ok()) return status;
  uses_[use.id] += 1;
  return Status::Ok();
}

Status SharedMemoryHolds::Map(std::uint32_t id, const Napi::Uint8Array& view, std::uint64_t& begin) {
  Napi::Uint8Array bytes = view;
  if (Status status = registry_->Map(id, this, bytes.Data(), bytes.ByteLength(), begin); !status.ok()) return status;
  views_[id] = Napi::Persistent(bytes);
  return Status::Ok();
}

bool SharedMemoryHolds::End(std::uint32_t id) {
  const auto found = uses_.find(id);
  if (found == uses_.end()) return false;
  found->second -= 1;
  if (found->second == 0) uses_.erase(found);
  return registry_->End(id);
}

bool SharedMemoryHolds::Unmap(std::uint32_t id) {
  if (uses_.count(id) != 0) return false;
  registry_->Unmap(id, this);
  views_.erase(id);
  return true;
}

void SharedMemoryHolds::ReleaseAll() {
  registry_->UnmapAll(this);
  for (const auto& [id, uses] : uses_) {
    for (std::uint32_t use = 0; use < uses; ++use) registry_->End(id);
  }
  uses_.clear();
  views_.clear();
}

}  // namespace vinery

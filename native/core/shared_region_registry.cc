#include "core/shared_region_registry.h"

#include <algorithm>
#include <utility>

#include "core/shortened.h"

namespace vinery {

Status SharedRegionRegistry::Register(SharedRegionDescription description) {
  const std::scoped_lock lock(mutex_);
  const std::string name = description.name;
  if (by_name_.count(name) != 0) {
    return {StatusCode::kSharedMemoryExists, "shared memory region '" + Shortened(name) + "' already in manager"};
  }
  if (regions_.size() >= kMaxSharedRegions) {
    return {StatusCode::kSharedMemoryLimit, "failed to register shared memory region '" + Shortened(name) +
                                                "': expected at most " + std::to_string(kMaxSharedRegions) +
                                                " regions"};
  }
  std::unique_ptr<SharedRegion> region;
  if (Status status = SharedRegion::Open(std::move(description), last_id_ + 1, region); !status.ok()) return status;
  last_id_ += 1;
  by_name_[name] = region.get();
  regions_[last_id_] = std::move(region);
  return Status::Ok();
}

bool SharedRegionRegistry::Unregister(const std::string& name) {
  const std::scoped_lock lock(mutex_);
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return false;
  DropName(found);
  return true;
}

void SharedRegionRegistry::UnregisterAll() {
  const std::scoped_lock lock(mutex_);
  while (!by_name_.empty()) DropName(by_name_.begin());
}

void SharedRegionRegistry::DropName(std::unordered_map<std::string, SharedRegion*>::iterator found) {
  const SharedRegion& region = *found->second;
  by_name_.erase(found);
  if (region.uses == 0) regions_.erase(region.id());
}

std::vector<SharedRegionDescription> SharedRegionRegistry::List() const {
  const std::scoped_lock lock(mutex_);
  std::vector<SharedRegionDescription> list;
  list.reserve(by_name_.size());
  for (const auto& entry : by_name_) list.push_back(entry.second->description());
  std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return list;
}

Status SharedRegionRegistry::Begin(const std::string& name, const void* user, Use& use) {
  const std::scoped_lock lock(mutex_);
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) {
    return {StatusCode::kSharedMemoryMissing, "Unable to find shared memory region: '" + Shortened(name) + "'"};
  }
  SharedRegion& region = *found->second;
  if (!region.IsWhole() || region.IsBroken(user)) {
    return {StatusCode::kSharedMemoryBroken, "'" + Shortened(name) + "'"};
  }
  region.uses += 1;
  use = {region.id(), region.description().byte_size, region.writable(), region.IsMapped(user) ? 0 : region.room()};
  return Status::Ok();
}

Status SharedRegionRegistry::Map(std::uint32_t id, const void* user, std::uint8_t* memory, std::uint64_t size,
                                 std::uint64_t& begin) {
  const std::scoped_lock lock(mutex_);
  const auto found = regions_.find(id);
  if (found == regions_.end()) return {StatusCode::kSharedMemoryMissing, "region " + std::to_string(id)};
  return found->second->Map(user, memory, size, begin);
}

bool SharedRegionRegistry::IsBroken(std::uint32_t id, const void* user) const {
  const std::scoped_lock lock(mutex_);
  const auto found = regions_.find(id);
  return found != regions_.end() && found->second->IsBroken(user);
}

bool SharedRegionRegistry::End(std::uint32_t id) {
  const std::scoped_lock lock(mutex_);
  const auto found = regions_.find(id);
  if (found == regions_.end() || found->second->uses == 0) return false;
  SharedRegion& region = *found->second;
  region.uses -= 1;
  const auto named = by_name_.find(region.description().name);
  const bool is_registered = named != by_name_.end() && named->second == &region;
  if (region.uses == 0 && !is_registered) regions_.erase(found);
  return true;
}

bool SharedRegionRegistry::IsKnown(std::uint32_t id) const {
  const std::scoped_lock lock(mutex_);
  return regions_.count(id) != 0;
}

void SharedRegionRegistry::Unmap(std::uint32_t id, const void* user) {
  const std::scoped_lock lock(mutex_);
  const auto found = regions_.find(id);
  if (found != regions_.end()) found->second->Unmap(user);
}

void SharedRegionRegistry::UnmapAll(const void* user) {
  const std::scoped_lock lock(mutex_);
  for (const auto& entry : regions_) entry.second->Unmap(user);
}

}  // namespace vinery

#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/shared_region.h"
#include "core/status.h"

namespace vinery {

/// The shared memory that clients have registered: one set for the process, because a request may come to any owner
/// worker. A region that is unregistered while requests use it keeps its memory until the last of them has ended, and
/// its name is free at once. Thread-safe.
class SharedRegionRegistry {
 public:
  /// `kSharedMemoryExists`, `kSharedMemoryOpen`, `kSharedMemoryInvalid`, `kSharedMemoryLimit`.
  Status Register(SharedRegionDescription description);
  /// False when no region has the name.
  bool Unregister(const std::string& name);
  void UnregisterAll();
  std::vector<SharedRegionDescription> List() const;

  /// What a request needs to know of a region that it uses.
  struct Use {
    std::uint32_t id = 0;
    std::uint64_t byte_size = 0;
    bool writable = false;
    /// Bytes of memory to be given to `Map` before it can be accessed; 0 when that has been done.
    std::uint64_t room = 0;
  };
  /// A request of this user begins to use a region. `kSharedMemoryMissing`, `kSharedMemoryBroken`; then it does not.
  Status Begin(const std::string& name, const void* user, Use& use);
  /// For a region in use; see `SharedRegion::Map`.
  Status Map(std::uint32_t id, const void* user, std::uint8_t* memory, std::uint64_t size, std::uint64_t& begin);
  /// Whether a region in use has lost pages that this user has accessed.
  bool IsBroken(std::uint32_t id, const void* user) const;
  /// The request has ended. False when no such region is in use.
  bool End(std::uint32_t id);

  /// Whether the region is registered or in use, so that it may still be accessed.
  bool IsKnown(std::uint32_t id) const;
  /// The user gives its memory back to JavaScript. No request of it may use the region.
  void Unmap(std::uint32_t id, const void* user);
  /// The user is gone.
  void UnmapAll(const void* user);

 private:
  void DropName(std::unordered_map<std::string, SharedRegion*>::iterator found);

  mutable std::mutex mutex_;
  std::uint32_t last_id_ = 0;
  std::unordered_map<std::string, SharedRegion*> by_name_;
  /// Those without a name are unregistered and in use.
  std::unordered_map<std::uint32_t, std::unique_ptr<SharedRegion>> regions_;
};

/// Each has a file open and some memory mapped.
inline constexpr std::size_t kMaxSharedRegions = 1024;

}  // namespace vinery

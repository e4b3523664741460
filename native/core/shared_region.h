#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "core/bus_fault_guard.h"
#include "core/descriptor.h"
#include "core/status.h"

namespace vinery {

/// A part of a client's POSIX shared memory, as it was registered.
struct SharedRegionDescription {
  std::string name;
  std::string key;
  std::uint64_t offset = 0;
  std::uint64_t byte_size = 0;
};

/// The shared memory itself. It is mapped over memory of JavaScript's own, once for each environment that uses it, so
/// that it can be a slab like any other on every thread. Not safe for threads: the registry's lock is held.
class SharedRegion {
 public:
  /// Opens what the description names. `kSharedMemoryOpen`, `kSharedMemoryInvalid`.
  static Status Open(SharedRegionDescription description, std::uint32_t id, std::unique_ptr<SharedRegion>& region);

  SharedRegion(SharedRegionDescription description, std::uint32_t id, Descriptor file, bool writable);
  SharedRegion(const SharedRegion&) = delete;
  SharedRegion& operator=(const SharedRegion&) = delete;
  SharedRegion(SharedRegion&&) = delete;
  SharedRegion& operator=(SharedRegion&&) = delete;
  ~SharedRegion();

  std::uint32_t id() const { return id_; }
  const SharedRegionDescription& description() const { return description_; }
  bool writable() const { return writable_; }

  /// Whether the file still has every byte of the region. The next moment it may not.
  bool IsWhole() const;
  /// Whether an access of this user's has met lost pages. That lasts for as long as the region is mapped.
  bool IsBroken(const void* user) const;

  /// Bytes that `Map` needs, wherever they begin.
  std::uint64_t room() const;
  bool IsMapped(const void* user) const { return mappings_.count(user) != 0; }
  /// Lays the shared memory over `size` bytes that stay the caller's, and tells where among them the region begins.
  /// `kSharedMemoryInvalid`, `kSharedMemoryLimit`.
  Status Map(const void* user, std::uint8_t* memory, std::uint64_t size, std::uint64_t& begin);
  /// Gives the memory back, as zeros. Harmless when it is not mapped.
  void Unmap(const void* user);
  void UnmapAll();

  /// Requests that may access it now, of all environments.
  std::uint32_t uses = 0;

 private:
  struct Mapping {
    std::uint8_t* base = nullptr;
    std::size_t size = 0;
    BusFaultGuard guard;
  };
  static void Clear(const Mapping& mapping);
  /// Bytes from the beginning of a page of the file to that of the region.
  std::uint64_t lead() const;

  SharedRegionDescription description_;
  std::uint32_t id_;
  Descriptor file_;
  bool writable_;
  std::unordered_map<const void*, std::unique_ptr<Mapping>> mappings_;
};

}  // namespace vinery

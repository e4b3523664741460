#pragma once

#include <cstdint>
#include <vector>

#include "core/status.h"

namespace vinery {

/// A piece of memory that JavaScript owns. Whoever registers it keeps it alive until it is removed.
struct Slab {
  std::uint8_t* base = nullptr;
  std::uint64_t size = 0;
  /// Different for each registration, so that a reused id is never taken for the slab that had it before. 0: not
  /// registered.
  std::uint64_t generation = 0;
};

/// The slabs of one environment under small integers. Used on the thread of that environment only.
class SlabTable {
 public:
  std::uint32_t Add(std::uint8_t* base, std::uint64_t size);
  /// `id` must be registered.
  void Remove(std::uint32_t id);
  void Clear();

  /// The slab, or nullptr when no slab has this id. Valid until the next `Add`.
  const Slab* Find(std::uint64_t id) const;

  /// Sets `address` to byte `offset` of a slab when `length` bytes from there lie within it; `kBindingFailed`
  /// otherwise.
  Status Resolve(std::uint64_t id, std::uint64_t offset, std::uint64_t length, std::uint8_t*& address) const;

 private:
  std::vector<Slab> slabs_;
  std::vector<std::uint32_t> free_ids_;
  std::uint64_t last_generation_ = 0;
};

}  // namespace vinery

#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "ingress/region.h"

namespace vinery {

/// Regions that wait for a message, so that most messages need not wait for JavaScript. I/O thread only.
class RegionStock {
 public:
  /// @param limit bytes that may lie idle.
  explicit RegionStock(std::uint64_t limit) : limit_(limit) {}

  /// A region of at least `size` bytes, of which not much more than a quarter would be unused; none when there is none.
  Region Take(std::uint64_t size);

  /// Keeps a region. What is thereby too much, of the sizes nobody has asked for the longest, is appended to `surplus`.
  void Put(const Region& region, std::vector<Region>& surplus);

 private:
  struct Shelf {
    std::vector<Region> regions;
    std::uint64_t last_use = 0;
  };

  bool EvictFrom(std::uint64_t kept_capacity, std::vector<Region>& surplus);

  const std::uint64_t limit_;
  std::uint64_t bytes_ = 0;
  std::uint64_t uses_ = 0;
  /// By capacity. The last one put is the first one taken: its memory is in the caches.
  std::map<std::uint64_t, Shelf> shelves_;
};

}  // namespace vinery

#include "ingress/region_stock.h"

namespace vinery {
namespace {

/// Small messages share their regions, whatever their size.
constexpr std::uint64_t kSmall = 4096;

std::uint64_t LargestFit(std::uint64_t size) { return size <= kSmall ? kSmall : size + size / 4 + 64; }

}  // namespace

Region RegionStock::Take(std::uint64_t size) {
  const std::uint64_t largest = LargestFit(size);
  for (auto found = shelves_.lower_bound(size); found != shelves_.end() && found->first <= largest; ++found) {
    Shelf& shelf = found->second;
    shelf.last_use = ++uses_;
    if (shelf.regions.empty()) continue;
    const Region region = shelf.regions.back();
    shelf.regions.pop_back();
    bytes_ -= region.capacity;
    return region;
  }
  return {};
}

void RegionStock::Put(const Region& region, std::vector<Region>& surplus) {
  Shelf& shelf = shelves_[region.capacity];
  if (shelf.last_use == 0) shelf.last_use = ++uses_;
  shelf.regions.push_back(region);
  bytes_ += region.capacity;
  while (bytes_ > limit_ && EvictFrom(region.capacity, surplus)) {
  }
}

/// The shelf that was used the longest ago loses a region; that of `kept_capacity` only when no other has one.
bool RegionStock::EvictFrom(std::uint64_t kept_capacity, std::vector<Region>& surplus) {
  auto oldest = shelves_.end();
  for (auto each = shelves_.begin(); each != shelves_.end(); ++each) {
    if (each->first == kept_capacity || each->second.regions.empty()) continue;
    if (oldest == shelves_.end() || each->second.last_use < oldest->second.last_use) oldest = each;
  }
  if (oldest == shelves_.end()) oldest = shelves_.find(kept_capacity);
  if (oldest == shelves_.end() || oldest->second.regions.empty()) return false;
  surplus.push_back(oldest->second.regions.back());
  oldest->second.regions.pop_back();
  bytes_ -= surplus.back().capacity;
  if (oldest->second.regions.empty() && oldest->first != kept_capacity) shelves_.erase(oldest);
  return true;
}

}  // namespace vinery

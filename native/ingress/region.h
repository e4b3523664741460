#pragma once

#include <cstdint>

namespace vinery {

/// A piece of a slab that JavaScript has leased for the ingress. Whoever holds it may write it; JavaScript keeps the
/// slab until the region has come back to it, with a message or without.
struct Region {
  /// JavaScript's name for it.
  std::int32_t number = -1;
  std::uint8_t* base = nullptr;
  std::uint64_t capacity = 0;

  bool is_there() const { return number >= 0; }
};

}  // namespace vinery

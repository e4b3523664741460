#pragma once

#include <cstddef>
#include <cstdint>

namespace vinery {

/// Memory over a file that somebody else may truncate. Where its pages are lost, an access would end the process with
/// SIGBUS; while this object lives it reads zeros instead, `broken()` is true from then on, and whatever was computed
/// must not be believed. Any thread of the process may be the one that meets the loss, those of libraries among them.
class BusFaultGuard {
 public:
  BusFaultGuard() = default;
  BusFaultGuard(const BusFaultGuard&) = delete;
  BusFaultGuard& operator=(const BusFaultGuard&) = delete;
  BusFaultGuard(BusFaultGuard&&) = delete;
  BusFaultGuard& operator=(BusFaultGuard&&) = delete;
  ~BusFaultGuard() { Release(); }

  /// Guards whole pages. False when there is no place left (`kMaxGuardedRanges` for the process), or no handler can be
  /// had.
  bool Acquire(const std::uint8_t* base, std::size_t size);
  /// The memory may no longer be used. Harmless when nothing is guarded.
  void Release();
  bool broken() const;

 private:
  std::size_t place_ = kNowhere;
  static constexpr std::size_t kNowhere = SIZE_MAX;
};

inline constexpr std::size_t kMaxGuardedRanges = 4096;

}  // namespace vinery

#pragma once

#include <cstdint>
#include <memory>
#include <unordered_set>

#include "core/process_wide.h"

namespace vinery {

/// What one environment has reserved in a registry of the process and not yet released. JavaScript thread only.
template <typename Registry>
class HeldEntries {
 public:
  Registry& registry() const { return *registry_; }

  std::uint32_t Reserve() { return Hold(registry_->Reserve()); }

  /// Holds an entry that was made for this environment.
  std::uint32_t Hold(std::uint32_t id) {
    held_.insert(id);
    return id;
  }

  /// False when this environment does not hold the entry.
  bool Release(std::uint32_t id) {
    if (held_.erase(id) == 0) return false;
    registry_->Release(id);
    return true;
  }

  void ReleaseAll() {
    for (const std::uint32_t id : held_) registry_->Release(id);
    held_.clear();
  }

 private:
  std::shared_ptr<Registry> registry_ = ProcessWide<Registry>();
  std::unordered_set<std::uint32_t> held_;
};

}  // namespace vinery

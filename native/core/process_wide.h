#pragma once

#include <memory>
#include <mutex>

namespace vinery {

/// The one `Held` of the process, whatever the number of environments: the first caller makes it and the last holder
/// destroys it, so that it ends with the last environment and not among the static destructors of other libraries.
template <typename Held>
std::shared_ptr<Held> ProcessWide() {
  static std::mutex mutex;
  static std::weak_ptr<Held> shared;
  const std::scoped_lock lock(mutex);
  auto held = shared.lock();
  if (held == nullptr) {
    held = std::make_shared<Held>();
    shared = held;
  }
  return held;
}

}  // namespace vinery

#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "core/status.h"

namespace vinery {

/// The end of one flight: an inference or the execution of a custom node.
struct Completion {
  /// JavaScript's name for it. A negative one is no end of a flight but a notice: somebody has something for JavaScript
  /// elsewhere.
  std::int32_t token = 0;
  /// Native code's name for it, see `napi/flights.h`.
  std::uint32_t flight = 0;
  std::int32_t micros = 0;
  Status status = Status::Ok();
  /// The flight has not ended: it goes on once the environment's thread has done its part (`Flight::Resume`).
  bool is_paused = false;
};

/// Carries ends of flights from the threads they run on to the one thread of an environment. Any number of posts
/// between two takes share one wake: waking an event loop costs more than everything else here (measured: 45-75 us a
/// hop at low load).
class CompletionRing {
 public:
  /// `wake` is called on the posting thread, outside the lock, and must not block.
  explicit CompletionRing(std::function<void()> wake);

  /// Any thread.
  void Post(Completion completion);

  /// The owner's thread. Replaces the contents of `taken` by everything posted so far, in order; whatever comes later
  /// wakes anew.
  void TakeAll(std::vector<Completion>& taken);

 private:
  const std::function<void()> wake_;
  std::mutex mutex_;
  std::vector<Completion> posted_;
};

}  // namespace vinery

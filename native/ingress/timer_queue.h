#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <set>
#include <tuple>

#include "ingress/connection_host.h"

namespace vinery {

/// What is to be looked at when: deadlines of calls and the silence of connections.
class TimerQueue {
 public:
  enum class Kind : std::uint8_t { kCall, kConnection, kAccept, kStarving };
  struct Timer {
    Clock::time_point when;
    Kind kind;
    std::uint64_t number;
    bool operator<(const Timer& other) const {
      return std::tie(when, kind, number) < std::tie(other.when, other.kind, other.number);
    }
  };

  void Set(const Timer& timer) { timers_.insert(timer); }
  void Clear(const Timer& timer) { timers_.erase(timer); }

  /// Takes the first timer that is due.
  bool TakeDue(Clock::time_point now, Timer& due) {
    if (timers_.empty() || timers_.begin()->when > now) return false;
    due = *timers_.begin();
    timers_.erase(timers_.begin());
    return true;
  }

  /// Milliseconds until the first timer as `epoll_wait` wants them, -1 for none.
  int MillisecondsLeft(Clock::time_point now) const {
    if (timers_.empty()) return -1;
    const auto left = timers_.begin()->when - now;
    if (left.count() <= 0) return 0;
    constexpr std::chrono::milliseconds kLongest = std::chrono::hours(1);
    const auto rounded_up = std::chrono::ceil<std::chrono::milliseconds>(left);
    return static_cast<int>(std::min(rounded_up, kLongest).count());
  }

 private:
  std::set<Timer> timers_;
};

}  // namespace vinery

#pragma once

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

  /// When the first timer is due; never when there is none.
  Clock::time_point First() const { return timers_.empty() ? Clock::time_point::max() : timers_.begin()->when; }

 private:
  std::set<Timer> timers_;
};

}  // namespace vinery

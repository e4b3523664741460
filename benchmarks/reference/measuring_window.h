#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

namespace reference {

/// The part of a closed loop that is counted: from the first completion after the warm-up to the first one after
/// `seconds` more. It begins and ends at completions, so that slow requests are not counted by halves. The load client
/// of the server measures in the same way.
class MeasuringWindow {
 public:
  using Clock = std::chrono::steady_clock;

  MeasuringWindow(double warm_up_seconds, double seconds);

  /// A request that took this long has ended now.
  void add(Clock::duration latency);
  bool closed() const { return state_ == State::kClosed; }

  /// The rest is meant for a closed window.
  std::size_t requests() const { return latencies_ms_.size(); }
  double rate() const;
  /// The smallest latency that at least this part of the requests kept, in milliseconds.
  double quantile_ms(double part) const;
  double cpu_micros_per_request() const;

 private:
  enum class State { kWarmUp, kOpen, kClosed };

  double seconds_;
  Clock::time_point opens_;
  Clock::time_point opened_;
  Clock::time_point closed_;
  double cpu_opened_ = 0;
  double cpu_closed_ = 0;
  State state_ = State::kWarmUp;
  /// Sorted when the window closes.
  std::vector<double> latencies_ms_;
};

}  // namespace reference

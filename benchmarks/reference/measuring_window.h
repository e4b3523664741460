#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace reference {

/// CPU time so far, in seconds.
struct CpuReading {
  /// Of what is measured.
  double subject = 0;
  /// Of the load client.
  double client = 0;
};

/// The part of a measurement that is counted: from the first completion after the warm-up to the first one after
/// `seconds` more. It begins and ends at completions, so that slow requests are not counted by halves. Not for several
/// threads at once.
class MeasuringWindow {
 public:
  using Clock = std::chrono::steady_clock;
  using CpuReader = std::function<CpuReading()>;

  MeasuringWindow(double warm_up_seconds, double seconds, CpuReader read_cpu);

  /// A request that took this long has ended now.
  void add(Clock::duration latency);
  bool closed() const { return state_ == State::kClosed; }

  /// Of a closed window: `"requests":…,"rate":…` and so on, the members of a JSON object. Rate in requests a second,
  /// times in milliseconds, CPU in microseconds a request.
  std::string figures() const;

 private:
  enum class State { kWarmUp, kOpen, kClosed };

  /// The smallest latency that at least this part of the requests kept, in milliseconds.
  double quantile_ms(double part) const;

  double seconds_;
  CpuReader read_cpu_;
  Clock::time_point opens_;
  Clock::time_point opened_;
  Clock::time_point closed_;
  CpuReading cpu_opened_;
  CpuReading cpu_closed_;
  State state_ = State::kWarmUp;
  /// Sorted when the window closes.
  std::vector<double> latencies_ms_;
};

}  // namespace reference

#pragma once

#include <algorithm>
#include <chrono>

namespace vinery {

/// How many frames that carry no request a client may send: so many at once, and so many a second after that. Pings,
/// settings, resets, priorities and empty data cost a server time and the client nothing.
class FrameBudget {
 public:
  static constexpr double kBurst = 10000;
  static constexpr double kPerSecond = 2000;

  /// False once the client has spent more than it has.
  bool Spend(std::chrono::steady_clock::time_point now) {
    const std::chrono::duration<double> passed = now - last_;
    last_ = now;
    left_ = std::min(kBurst, left_ + passed.count() * kPerSecond) - 1;
    return left_ >= 0;
  }

 private:
  double left_ = kBurst;
  std::chrono::steady_clock::time_point last_;
};

}  // namespace vinery

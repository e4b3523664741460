#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>

namespace vinery {

/// Microseconds since `start`, as far as a completion's number goes (36 minutes).
inline std::int32_t MicrosSince(std::chrono::steady_clock::time_point start) {
  const auto elapsed = std::chrono::steady_clock::now() - start;
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(elapsed).count();
  return static_cast<std::int32_t>(std::min<std::int64_t>(micros, std::numeric_limits<std::int32_t>::max()));
}

}  // namespace vinery

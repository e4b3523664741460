#pragma once

#include <cstdint>

namespace vinery {

/// Gives the calling thread its treatment of denormal numbers back when it goes. With `CPU_DENORMALS_OPTIMIZATION`
/// OpenVINO makes every thread that compiles or builds a network flush them to zero for good; on a thread of JavaScript
/// `1e-310 * 1` would be 0 from then on. Nothing happens on processors without MXCSR: OpenVINO leaves those alone.
class FloatMode {
 public:
  FloatMode();
  FloatMode(const FloatMode&) = delete;
  FloatMode& operator=(const FloatMode&) = delete;
  FloatMode(FloatMode&&) = delete;
  FloatMode& operator=(FloatMode&&) = delete;
  ~FloatMode();

  /// Until this object goes, denormal numbers are zeros for the calling thread, as operands and as results.
  void FlushDenormals() const;

 private:
  std::uint32_t before_ = 0;
};

}  // namespace vinery

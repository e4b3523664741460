#include "core/float_mode.h"

#ifdef __SSE2__
#include <xmmintrin.h>
#endif

namespace vinery {

#ifdef __SSE2__

namespace {

/// Of MXCSR: results to zero, operands as zeros.
constexpr std::uint32_t kFlushToZero = 0x8000;
constexpr std::uint32_t kDenormalsAreZeros = 0x40;
constexpr std::uint32_t kFlush = kFlushToZero | kDenormalsAreZeros;

}  // namespace

FloatMode::FloatMode() : before_(_mm_getcsr()) {}

FloatMode::~FloatMode() {
  const std::uint32_t now = _mm_getcsr();
  if ((now & kFlush) != (before_ & kFlush)) _mm_setcsr((now & ~kFlush) | (before_ & kFlush));
}

void FloatMode::FlushDenormals() const { _mm_setcsr(before_ | kFlush); }

#else

FloatMode::FloatMode() = default;
FloatMode::~FloatMode() = default;
void FloatMode::FlushDenormals() const {}

#endif

}  // namespace vinery

#include "measuring_window.h"

#include <algorithm>
#include <cmath>

#include "cpu_time.h"

namespace reference {
namespace {

using Seconds = std::chrono::duration<double>;
using Milliseconds = std::chrono::duration<double, std::milli>;

}  // namespace

MeasuringWindow::MeasuringWindow(double warm_up_seconds, double seconds)
    : seconds_(seconds), opens_(Clock::now() + std::chrono::duration_cast<Clock::duration>(Seconds(warm_up_seconds))) {}

void MeasuringWindow::add(Clock::duration latency) {
  const auto now = Clock::now();
  if (state_ == State::kWarmUp && now >= opens_) {
    state_ = State::kOpen;
    opened_ = now;
    cpu_opened_ = CpuSeconds();
    return;
  }
  if (state_ != State::kOpen) return;
  latencies_ms_.push_back(Milliseconds(latency).count());
  if (Seconds(now - opened_).count() < seconds_) return;
  state_ = State::kClosed;
  closed_ = now;
  cpu_closed_ = CpuSeconds();
  std::sort(latencies_ms_.begin(), latencies_ms_.end());
}

double MeasuringWindow::rate() const { return static_cast<double>(requests()) / Seconds(closed_ - opened_).count(); }

double MeasuringWindow::quantile_ms(double part) const {
  const auto rank = static_cast<std::size_t>(std::ceil(part * static_cast<double>(requests())));
  return latencies_ms_.at(std::max<std::size_t>(rank, 1) - 1);
}

double MeasuringWindow::cpu_micros_per_request() const {
  return (cpu_closed_ - cpu_opened_) * 1e6 / static_cast<double>(requests());
}

}  // namespace reference

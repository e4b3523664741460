#include "measuring_window.h"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <utility>

namespace reference {
namespace {

using Seconds = std::chrono::duration<double>;
using Milliseconds = std::chrono::duration<double, std::milli>;

}  // namespace

MeasuringWindow::MeasuringWindow(double warm_up_seconds, double seconds, CpuReader read_cpu)
    : seconds_(seconds),
      read_cpu_(std::move(read_cpu)),
      opens_(Clock::now() + std::chrono::duration_cast<Clock::duration>(Seconds(warm_up_seconds))) {}

void MeasuringWindow::add(Clock::duration latency) {
  const auto now = Clock::now();
  if (state_ == State::kWarmUp && now >= opens_) {
    state_ = State::kOpen;
    opened_ = now;
    cpu_opened_ = read_cpu_();
    return;
  }
  if (state_ != State::kOpen) return;
  latencies_ms_.push_back(Milliseconds(latency).count());
  if (Seconds(now - opened_).count() < seconds_) return;
  state_ = State::kClosed;
  closed_ = now;
  cpu_closed_ = read_cpu_();
  std::sort(latencies_ms_.begin(), latencies_ms_.end());
}

std::string MeasuringWindow::figures() const {
  const auto requests = static_cast<double>(latencies_ms_.size());
  const auto micros = [&](double from, double to) { return (to - from) * 1e6 / requests; };
  std::ostringstream json;
  json.precision(9);
  json << "\"requests\":" << latencies_ms_.size() << ",\"rate\":" << requests / Seconds(closed_ - opened_).count();
  json << ",\"p50Ms\":" << quantile_ms(0.5) << ",\"p95Ms\":" << quantile_ms(0.95);
  json << ",\"p99Ms\":" << quantile_ms(0.99);
  json << ",\"cpuMicros\":" << micros(cpu_opened_.subject, cpu_closed_.subject);
  json << ",\"clientCpuMicros\":" << micros(cpu_opened_.client, cpu_closed_.client);
  return json.str();
}

double MeasuringWindow::quantile_ms(double part) const {
  const auto rank = static_cast<std::size_t>(std::ceil(part * static_cast<double>(latencies_ms_.size())));
  return latencies_ms_.at(std::max<std::size_t>(rank, 1) - 1);
}

}  // namespace reference

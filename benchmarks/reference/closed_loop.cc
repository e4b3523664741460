#include "closed_loop.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

namespace reference {
namespace {

using Clock = MeasuringWindow::Clock;
constexpr std::chrono::seconds kPatience{60};

class ClosedLoop {
 public:
  ClosedLoop(Pipeline& pipeline, const Inputs& inputs, MeasuringWindow& window)
      : pipeline_(pipeline), inputs_(inputs), window_(window), labels_(inputs.count()) {}

  Labels run(std::size_t calls) {
    if (pipeline_.is_inline()) {
      run_threads(calls);
    } else {
      run_callbacks(calls);
    }
    if (!fault_.empty()) throw std::runtime_error(fault_);
    return labels_;
  }

 private:
  void run_threads(std::size_t calls) {
    queue_.assign(calls, Clock::now());
    const std::size_t count = std::min<std::size_t>(calls, std::max(1U, std::thread::hardware_concurrency()));
    std::vector<std::thread> threads;
    threads.reserve(count);
    for (std::size_t number = 0; number < count; ++number) {
      threads.emplace_back([this] {
        for (bool more = true; more;) {
          const auto began = take_call();
          const std::size_t input = take_input();
          pipeline_.run(inputs_.at(input), [&](std::int64_t label) { more = ended(input, began, label); });
          begin_call();
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  /// When the call that waits longest began. There is one, since no thread holds more than one and calls are no fewer.
  Clock::time_point take_call() {
    const std::scoped_lock lock(mutex_);
    const Clock::time_point began = queue_.front();
    queue_.pop_front();
    return began;
  }

  void begin_call() {
    const std::scoped_lock lock(mutex_);
    queue_.push_back(Clock::now());
  }

  void run_callbacks(std::size_t calls) {
    running_ = calls;
    for (std::size_t number = 0; number < calls; ++number) start();
    std::unique_lock<std::mutex> lock(mutex_);
    for (std::size_t seen = completions_; running_ > 0; seen = completions_) {
      changed_.wait_for(lock, kPatience, [&] { return running_ == 0; });
      if (running_ > 0 && completions_ == seen) {
        throw std::runtime_error("no run ended within " + std::to_string(kPatience.count()) + " seconds");
      }
    }
  }

  /// The end of a run starts the next one, on the thread where it ended.
  void start() {
    const std::size_t input = take_input();
    const auto started = Clock::now();
    pipeline_.run(inputs_.at(input), [this, input, started](std::int64_t label) {
      if (ended(input, started, label)) return start();
      const std::scoped_lock lock(mutex_);
      running_ -= 1;
      changed_.notify_one();
    });
  }

  std::size_t take_input() {
    const std::scoped_lock lock(mutex_);
    const std::size_t input = next_input_;
    next_input_ = (input + 1) % inputs_.count();
    return input;
  }

  /// Whether to go on.
  bool ended(std::size_t input, Clock::time_point started, std::int64_t label) {
    const std::scoped_lock lock(mutex_);
    completions_ += 1;
    window_.add(Clock::now() - started);
    std::optional<std::int64_t>& known = labels_[input];
    if (known.has_value() && *known != label) {
      fault_ = "input " + std::to_string(input) + " was labelled " + std::to_string(*known) + " before and " +
               std::to_string(label) + " now";
    }
    known = label;
    return !window_.closed() && fault_.empty();
  }

  Pipeline& pipeline_;
  const Inputs& inputs_;
  MeasuringWindow& window_;
  std::mutex mutex_;
  std::condition_variable changed_;
  /// When the calls began that wait for a thread to infer inline.
  std::deque<Clock::time_point> queue_;
  Labels labels_;
  std::string fault_;
  std::size_t running_ = 0;
  std::size_t completions_ = 0;
  std::size_t next_input_ = 0;
};

}  // namespace

Labels RunClosedLoop(Pipeline& pipeline, const Inputs& inputs, std::size_t calls, MeasuringWindow& window) {
  return ClosedLoop(pipeline, inputs, window).run(calls);
}

}  // namespace reference

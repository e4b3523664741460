#include "closed_loop.h"

#include <memory>
#include <stdexcept>
#include <string>

#include "completion_queue.h"
#include "execution.h"

namespace reference {
namespace {

using Clock = MeasuringWindow::Clock;
constexpr std::chrono::seconds kPatience{60};

/// One of the calls in flight.
struct Call {
  std::unique_ptr<Execution> execution;
  std::size_t picture = 0;
  Clock::time_point started;
};

class ClosedLoop {
 public:
  ClosedLoop(Pipeline& pipeline, Pictures& pictures, std::size_t calls)
      : pictures_(pictures), calls_(calls), labels_(pictures.count()) {
    for (std::size_t number = 0; number < calls; ++number) {
      calls_[number].execution = std::make_unique<Execution>(pipeline, queue_, number);
    }
  }

  Labels run(MeasuringWindow& window) {
    for (Call& call : calls_) start(call);
    std::vector<std::size_t> completions;
    for (std::size_t running = calls_.size(); running > 0;) {
      queue_.take(completions, kPatience);
      for (const std::size_t number : completions) {
        Call& call = calls_[number];
        if (!call.execution->advance()) continue;
        window.add(Clock::now() - call.started);
        check(call);
        if (window.closed()) {
          running -= 1;
        } else {
          start(call);
        }
      }
    }
    return labels_;
  }

 private:
  void start(Call& call) {
    call.picture = next_picture_;
    next_picture_ = (next_picture_ + 1) % pictures_.count();
    call.started = Clock::now();
    call.execution->start(pictures_.at(call.picture));
  }

  void check(const Call& call) {
    const std::int64_t label = call.execution->label();
    std::optional<std::int64_t>& known = labels_[call.picture];
    if (known.has_value() && *known != label) {
      throw std::runtime_error("picture " + std::to_string(call.picture) + " was labelled " + std::to_string(*known) +
                               " before and " + std::to_string(label) + " now");
    }
    known = label;
  }

  Pictures& pictures_;
  /// Before the calls: their inferences push to it until they are gone.
  CompletionQueue queue_;
  std::vector<Call> calls_;
  Labels labels_;
  std::size_t next_picture_ = 0;
};

}  // namespace

Labels RunClosedLoop(Pipeline& pipeline, Pictures& pictures, std::size_t calls, MeasuringWindow& window) {
  return ClosedLoop(pipeline, pictures, calls).run(window);
}

}  // namespace reference

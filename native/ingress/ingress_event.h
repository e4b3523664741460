#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace vinery {

/// What the I/O thread tells JavaScript. The numbers are `INGRESS_EVENT` of `src/native/ingress-binding.ts`, which says
/// what the `numbers` of each are.
enum class EventKind : std::int32_t {
  kRequest,
  kOpened,
  kMessage,
  kHalfClosed,
  kCancelled,
  kRefused,
  kSent,
  kRegionWanted,
  kRegionDropped,
  kRegionReturned,
  kDrained,
  kNotice,
};

inline constexpr std::size_t kEventNumbers = 5;

using EventTexts = std::vector<std::string>;

struct IngressEvent {
  EventKind kind;
  std::uint64_t call = 0;
  std::array<double, kEventNumbers> numbers{};
  /// Path and metadata of a call that has some, or the words of a notice.
  std::shared_ptr<const EventTexts> texts;
};

/// Carries events from the I/O thread to the environment's thread; any number of them share one wake.
class EventQueue {
 public:
  explicit EventQueue(std::function<void()> wake) : wake_(std::move(wake)) {}

  /// I/O thread. Must not fail: JavaScript would wait for ever for what an event that is lost gives back. Where there
  /// is no memory for one the process ends, as it does when JavaScript has none.
  void Push(IngressEvent event) noexcept {
    bool first = false;
    {
      const std::scoped_lock lock(mutex_);
      if (closed_) return;
      first = events_.empty();
      events_.push_back(std::move(event));
    }
    if (first) wake_();
  }

  /// The environment's thread. Replaces `taken` by all that was pushed.
  void TakeAll(std::vector<IngressEvent>& taken) {
    taken.clear();
    const std::scoped_lock lock(mutex_);
    taken.swap(events_);
  }

  /// Nobody listens any more.
  void Close() {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    events_.clear();
  }

 private:
  const std::function<void()> wake_;
  std::mutex mutex_;
  std::vector<IngressEvent> events_;
  bool closed_ = false;
};

}  // namespace vinery

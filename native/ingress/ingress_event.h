#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>
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

// Bits of an event's flags, its last number; `INGRESS_FLAG` of `src/native/ingress-binding.ts`.
inline constexpr unsigned kFlagGzip = 1;
inline constexpr unsigned kFlagDeflate = 2;
inline constexpr unsigned kFlagTexts = 4;
inline constexpr unsigned kFlagWithdrawn = 8;

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
      has_withdrawn_ = has_withdrawn_ || Withdraws(event.kind);
      events_.push_back(std::move(event));
    }
    if (first) wake_();
  }

  /// The environment's thread. Replaces `taken` by all that was pushed. A request that is cancelled or refused behind
  /// in the same events is marked: nothing need begin of it.
  void TakeAll(std::vector<IngressEvent>& taken) {
    taken.clear();
    bool has_withdrawn = false;
    {
      const std::scoped_lock lock(mutex_);
      taken.swap(events_);
      has_withdrawn = std::exchange(has_withdrawn_, false);
    }
    if (has_withdrawn) MarkWithdrawn(taken);
  }

  /// Nobody listens any more.
  void Close() {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    events_.clear();
  }

 private:
  static bool Withdraws(EventKind kind) { return kind == EventKind::kCancelled || kind == EventKind::kRefused; }

  /// From the last event to the first, so that each request meets what came after it.
  static void MarkWithdrawn(std::vector<IngressEvent>& events) {
    std::unordered_set<std::uint64_t> withdrawn;
    for (auto event = events.rbegin(); event != events.rend(); ++event) {
      if (Withdraws(event->kind)) withdrawn.insert(event->call);
      if (event->kind != EventKind::kRequest || withdrawn.count(event->call) == 0) continue;
      event->numbers.back() = static_cast<double>(static_cast<unsigned>(event->numbers.back()) | kFlagWithdrawn);
    }
  }

  const std::function<void()> wake_;
  std::mutex mutex_;
  std::vector<IngressEvent> events_;
  /// Some call was cancelled or refused.
  bool has_withdrawn_ = false;
  bool closed_ = false;
};

}  // namespace vinery

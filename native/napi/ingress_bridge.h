#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/slab_table.h"
#include "ingress/ingress.h"
#include "napi/loop_poll.h"
#include "napi/napi_setup.h"

namespace vinery {

/// The token under which completions tell of events of the ingress; the same stands in `src/native/ingress-binding.ts`.
inline constexpr std::int32_t kIngressToken = -1;
/// Numbers of an event's record: kind, call, and the event's own.
inline constexpr std::size_t kIngressEventStride = 2 + kEventNumbers;
/// Numbers of a row of the table of regions that an answer takes in.
inline constexpr std::size_t kAnswerRegionStride = 4;

/// The ingress of one environment as JavaScript uses it. JavaScript thread only.
class IngressBridge : public std::enable_shared_from_this<IngressBridge> {
 public:
  /// @param tell has JavaScript take the events. Where the ingress shares the loop it is called on this thread, outside
  /// of JavaScript, and may let go of this bridge; otherwise on the I/O thread, which it must not hold up. Throws what
  /// `Ingress` throws, and `Napi::Error`.
  IngressBridge(Napi::Env env, IngressSettings settings, const Napi::Float64Array& records, std::function<void()> tell);
  IngressBridge(const IngressBridge&) = delete;
  IngressBridge& operator=(const IngressBridge&) = delete;
  IngressBridge(IngressBridge&&) = delete;
  IngressBridge& operator=(IngressBridge&&) = delete;
  ~IngressBridge() = default;

  /// Ends the ingress at once; afterwards nothing may be asked of it.
  void Close();

  /// Writes events into the records. @returns how many; 0 when there are none.
  std::uint32_t TakeEvents();
  /// Texts of an event of the last `TakeEvents`, empty when it has none.
  EventTexts TextsOf(std::uint32_t index) const;

  void Give(std::uint64_t call, const Region& region);
  void Send(std::uint64_t call, std::shared_ptr<OutMessage> message, bool last, bool notify, std::int32_t region);
  void Finish(IngressCommand command, std::int32_t region);
  void Continue(std::uint64_t call);
  void Drain();

 private:
  void Wake();
  void TakeTurn();
  Region Returned(std::int32_t number) const;

  Napi::Reference<Napi::Float64Array> records_;
  std::vector<IngressEvent> taken_;
  /// The first of the taken that was not written yet, and of those that were written last.
  std::size_t next_ = 0;
  std::size_t written_ = 0;
  /// Regions that were given, by their numbers; where one came back to JavaScript its place is stale until it is given
  /// again.
  std::vector<Region> regions_;
  const std::function<void()> tell_;
  const bool shares_loop_;
  /// Where the loop is shared: events have come since JavaScript was told.
  bool has_news_ = false;
  std::unique_ptr<Ingress> ingress_;
  /// Behind the ingress, whose descriptor must be open until this has gone.
  std::unique_ptr<LoopPoll> poll_;
};

}  // namespace vinery

#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "napi/napi_setup.h"
#include "napi/uv_handle.h"

namespace vinery {

/// Waits on an environment's event loop, which it keeps alive, for a descriptor that can be read. JavaScript thread
/// only.
///
/// Who asks for it gets a loop that does not sleep for a moment: a thread that sleeps is woken some 50 us late, twice
/// what a request of tiny models takes. So it goes as long as something comes in that moment; after some moments in
/// vain the loop sleeps at once, but for a trial now and then. A loop that does not sleep serves whatever else comes,
/// too.
class LoopPoll {
 public:
  /// @param descriptor open until this is destroyed.
  /// @param ready called by the loop, outside of JavaScript, again and again while there is something to read. It may
  /// destroy this.
  /// Throws `Napi::Error` when the loop takes no descriptor.
  LoopPoll(Napi::Env env, int descriptor, std::function<void()> ready);
  LoopPoll(const LoopPoll&) = delete;
  LoopPoll& operator=(const LoopPoll&) = delete;
  LoopPoll(LoopPoll&&) = delete;
  LoopPoll& operator=(LoopPoll&&) = delete;
  ~LoopPoll();

  /// More is likely to come at once.
  void StayAwake();

 private:
  using Clock = std::chrono::steady_clock;

  void Awake();

  std::unique_ptr<uv::Handle<uv_poll_s>> poll_;
  std::unique_ptr<uv::Handle<uv_idle_s>> idle_;
  bool is_awake_ = false;
  Clock::time_point awake_until_;
  int in_vain_ = 0;
};

}  // namespace vinery

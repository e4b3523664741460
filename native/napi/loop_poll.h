#pragma once

#include <functional>
#include <memory>

#include "napi/napi_setup.h"

namespace vinery {

/// Waits on an environment's event loop, which it keeps alive, for a descriptor that can be read. JavaScript thread
/// only.
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

 private:
  struct Handle;
  /// The loop frees it once it has let go of it.
  Handle* handle_ = nullptr;
};

}  // namespace vinery

#include "napi/loop_poll.h"

#include <string>
#include <utility>

namespace vinery {
namespace {

/// A client on the same machine answers an answer within this time.
constexpr std::chrono::microseconds kMoment{120};
/// Moments in vain after which the loop sleeps at once, but for one of so many.
constexpr int kPatience = 4;
constexpr int kTrialAfter = 64;

void Check(Napi::Env env, int error) {
  if (error != 0) throw Napi::Error::New(env, std::string("event loop: ") + uv_strerror(error));
}

}  // namespace

LoopPoll::LoopPoll(Napi::Env env, int descriptor, std::function<void()> ready) {
  uv_loop_s* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) throw Napi::Error::New(env, "event loop: none is there");
  auto poll = std::make_unique<uv::Handle<uv_poll_s>>(uv::kPoll, std::move(ready));
  auto idle = std::make_unique<uv::Handle<uv_idle_s>>(uv::kIdle, [this] { Awake(); });
  Check(env, uv_poll_init(loop, poll->get(), descriptor));
  poll_ = std::move(poll);
  // These fail only for handles that are closing.
  static_cast<void>(uv_poll_start(poll_->get(), uv::kReadable, [](uv_poll_s* handle, int /*status*/, int /*events*/) {
    uv::Handle<uv_poll_s>::Call(handle);
  }));
  static_cast<void>(uv_idle_init(loop, idle->get()));
  idle_ = std::move(idle);
}

LoopPoll::~LoopPoll() {
  uv::Handle<uv_idle_s>::Close(std::move(idle_));
  uv::Handle<uv_poll_s>::Close(std::move(poll_));
}

void LoopPoll::StayAwake() {
  // While it is awake, something has come in time.
  if (is_awake_) in_vain_ = 0;
  if (in_vain_ >= kPatience) {
    ++in_vain_;
    if (in_vain_ % kTrialAfter != 0) return;
  }
  awake_until_ = Clock::now() + kMoment;
  if (std::exchange(is_awake_, true)) return;
  static_cast<void>(uv_idle_start(idle_->get(), uv::Handle<uv_idle_s>::Call));
}

/// Once a turn of the loop that does not sleep.
void LoopPoll::Awake() {
  if (Clock::now() < awake_until_) return;
  ++in_vain_;
  is_awake_ = false;
  static_cast<void>(uv_idle_stop(idle_->get()));
}

}  // namespace vinery

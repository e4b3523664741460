#include "napi/loop_poll.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "napi/uv_functions.h"

namespace vinery {

struct LoopPoll::Handle {
  explicit Handle(std::function<void()> when_ready) : ready(std::move(when_ready)), memory_(SizeOfPoll()) {}

  uv_poll_s* poll() { return reinterpret_cast<uv_poll_s*>(memory_.data()); }
  uv_handle_s* base() { return reinterpret_cast<uv_handle_s*>(memory_.data()); }

  const std::function<void()> ready;

 private:
  static std::size_t SizeOfPoll() {
    const std::size_t unit = sizeof(std::max_align_t);
    return (uv_handle_size(uv::kPoll) + unit - 1) / unit;
  }

  std::vector<std::max_align_t> memory_;
};

LoopPoll::LoopPoll(Napi::Env env, int descriptor, std::function<void()> ready) {
  uv_loop_s* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) throw Napi::Error::New(env, "event loop: none is there");
  auto handle = std::make_unique<Handle>(std::move(ready));
  const int error = uv_poll_init(loop, handle->poll(), descriptor);
  if (error != 0) throw Napi::Error::New(env, std::string("uv_poll_init: ") + uv_strerror(error));
  uv_handle_set_data(handle->base(), handle.get());
  handle_ = handle.release();
  const auto ready_now = [](uv_poll_s* poll, int /*status*/, int /*events*/) {
    static_cast<Handle*>(uv_handle_get_data(reinterpret_cast<uv_handle_s*>(poll)))->ready();
  };
  // Refuses only what is closing.
  static_cast<void>(uv_poll_start(handle_->poll(), uv::kReadable, ready_now));
}

LoopPoll::~LoopPoll() {
  uv_close(handle_->base(), [](uv_handle_s* base) {
    const std::unique_ptr<Handle> freed(static_cast<Handle*>(uv_handle_get_data(base)));
  });
}

}  // namespace vinery

#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "napi/uv_functions.h"

namespace vinery::uv {

/// The memory of one of libuv's handles, and what it calls. Once libuv knows it, `Close` ends it.
template <typename Type>
class Handle {
 public:
  Handle(int type, std::function<void()> called) : called_(std::move(called)), memory_(Units(type)) {
    uv_handle_set_data(base(), this);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  Handle(Handle&&) = delete;
  Handle& operator=(Handle&&) = delete;
  ~Handle() = default;

  Type* get() { return reinterpret_cast<Type*>(memory_.data()); }

  /// For libuv's callbacks.
  static void Call(Type* handle) {
    static_cast<Handle*>(uv_handle_get_data(reinterpret_cast<uv_handle_s*>(handle)))->called_();
  }

  /// The loop lets go of the handle in its next turn, and frees it then.
  static void Close(std::unique_ptr<Handle> handle) {
    uv_close(handle.release()->base(), [](uv_handle_s* closed) {
      const std::unique_ptr<Handle> freed(static_cast<Handle*>(uv_handle_get_data(closed)));
    });
  }

 private:
  static std::size_t Units(int type) {
    const std::size_t unit = sizeof(std::max_align_t);
    return (uv_handle_size(type) + unit - 1) / unit;
  }
  uv_handle_s* base() { return reinterpret_cast<uv_handle_s*>(memory_.data()); }

  const std::function<void()> called_;
  std::vector<std::max_align_t> memory_;
};

}  // namespace vinery::uv

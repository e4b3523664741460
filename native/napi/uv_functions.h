#pragma once

#include <cstddef>

/// The part of libuv's binary interface that waits for descriptors on an environment's event loop, and keeps it from
/// sleeping. Node.js carries
/// libuv and exports its functions, and Node-API hands its loop out, but the headers this addon is built with have
/// nothing of it. The interface is that of version 1, whose numbers and signatures stay; how large a handle is, libuv
/// says itself.
extern "C" {

struct uv_loop_s;
struct uv_handle_s;
struct uv_poll_s;
struct uv_idle_s;

using uv_close_cb = void (*)(uv_handle_s* handle);
using uv_idle_cb = void (*)(uv_idle_s* handle);
using uv_poll_cb = void (*)(uv_poll_s* handle, int status, int events);

std::size_t uv_handle_size(int type);
void* uv_handle_get_data(const uv_handle_s* handle);
void uv_handle_set_data(uv_handle_s* handle, void* data);
void uv_close(uv_handle_s* handle, uv_close_cb closed);
int uv_idle_init(uv_loop_s* loop, uv_idle_s* handle);
int uv_idle_start(uv_idle_s* handle, uv_idle_cb turning);
int uv_idle_stop(uv_idle_s* handle);
int uv_poll_init(uv_loop_s* loop, uv_poll_s* handle, int descriptor);
int uv_poll_start(uv_poll_s* handle, int events, uv_poll_cb ready);
const char* uv_strerror(int error);
}

namespace vinery::uv {

/// Of `uv_handle_type`.
inline constexpr int kIdle = 6;
inline constexpr int kPoll = 8;
/// Of `uv_poll_event`.
inline constexpr int kReadable = 1;

}  // namespace vinery::uv

#pragma once

#include <string_view>

#include "ingress/nghttp2_types.h"

/// nghttp2's functions as Node.js exports them. Weak: an addon in a Node.js without them still loads, and
/// `Nghttp2Fault` tells.
#define VINERY_NGHTTP2(returned, name, ...) \
  __attribute__((weak, visibility("default"))) returned nghttp2_##name(__VA_ARGS__)

extern "C" {
VINERY_NGHTTP2(const char*, strerror, int code);

VINERY_NGHTTP2(int, option_new, vinery::nghttp2::Option**);
VINERY_NGHTTP2(void, option_del, vinery::nghttp2::Option*);
VINERY_NGHTTP2(void, option_set_no_auto_window_update, vinery::nghttp2::Option*, int on);
VINERY_NGHTTP2(void, option_set_no_closed_streams, vinery::nghttp2::Option*, int on);
VINERY_NGHTTP2(void, option_set_stream_reset_rate_limit, vinery::nghttp2::Option*, std::uint64_t burst,
               std::uint64_t rate);

VINERY_NGHTTP2(int, session_callbacks_new, vinery::nghttp2::Callbacks**);
VINERY_NGHTTP2(void, session_callbacks_del, vinery::nghttp2::Callbacks*);
VINERY_NGHTTP2(void, session_callbacks_set_send_callback, vinery::nghttp2::Callbacks*,
               ssize_t (*)(vinery::nghttp2::Session*, const std::uint8_t*, std::size_t, int, void*));
VINERY_NGHTTP2(void, session_callbacks_set_send_data_callback, vinery::nghttp2::Callbacks*,
               int (*)(vinery::nghttp2::Session*, const vinery::nghttp2::Frame*, const std::uint8_t*, std::size_t,
                       vinery::nghttp2::DataSource*, void*));
VINERY_NGHTTP2(void, session_callbacks_set_on_begin_headers_callback, vinery::nghttp2::Callbacks*,
               int (*)(vinery::nghttp2::Session*, const vinery::nghttp2::Frame*, void*));
VINERY_NGHTTP2(void, session_callbacks_set_on_header_callback, vinery::nghttp2::Callbacks*,
               int (*)(vinery::nghttp2::Session*, const vinery::nghttp2::Frame*, const std::uint8_t*, std::size_t,
                       const std::uint8_t*, std::size_t, std::uint8_t, void*));
VINERY_NGHTTP2(void, session_callbacks_set_on_begin_frame_callback, vinery::nghttp2::Callbacks*,
               int (*)(vinery::nghttp2::Session*, const vinery::nghttp2::FrameHead*, void*));
VINERY_NGHTTP2(void, session_callbacks_set_on_frame_recv_callback, vinery::nghttp2::Callbacks*,
               int (*)(vinery::nghttp2::Session*, const vinery::nghttp2::Frame*, void*));
VINERY_NGHTTP2(void, session_callbacks_set_on_frame_send_callback, vinery::nghttp2::Callbacks*,
               int (*)(vinery::nghttp2::Session*, const vinery::nghttp2::Frame*, void*));
VINERY_NGHTTP2(void, session_callbacks_set_on_data_chunk_recv_callback, vinery::nghttp2::Callbacks*,
               int (*)(vinery::nghttp2::Session*, std::uint8_t, std::int32_t, const std::uint8_t*, std::size_t, void*));
VINERY_NGHTTP2(void, session_callbacks_set_on_stream_close_callback, vinery::nghttp2::Callbacks*,
               int (*)(vinery::nghttp2::Session*, std::int32_t, std::uint32_t, void*));
VINERY_NGHTTP2(void, session_callbacks_set_data_source_read_length_callback, vinery::nghttp2::Callbacks*,
               ssize_t (*)(vinery::nghttp2::Session*, std::uint8_t, std::int32_t, std::int32_t, std::int32_t,
                           std::uint32_t, void*));

VINERY_NGHTTP2(int, session_server_new2, vinery::nghttp2::Session**, const vinery::nghttp2::Callbacks*, void* user,
               const vinery::nghttp2::Option*);
VINERY_NGHTTP2(void, session_del, vinery::nghttp2::Session*);
VINERY_NGHTTP2(ssize_t, session_mem_recv, vinery::nghttp2::Session*, const std::uint8_t*, std::size_t);
VINERY_NGHTTP2(int, session_send, vinery::nghttp2::Session*);
VINERY_NGHTTP2(int, session_want_read, vinery::nghttp2::Session*);
VINERY_NGHTTP2(int, session_want_write, vinery::nghttp2::Session*);
VINERY_NGHTTP2(int, session_consume_stream, vinery::nghttp2::Session*, std::int32_t stream, std::size_t length);
VINERY_NGHTTP2(int, session_consume_connection, vinery::nghttp2::Session*, std::size_t length);
VINERY_NGHTTP2(int, session_resume_data, vinery::nghttp2::Session*, std::int32_t stream);
VINERY_NGHTTP2(int, session_set_local_window_size, vinery::nghttp2::Session*, std::uint8_t flags, std::int32_t stream,
               std::int32_t size);
VINERY_NGHTTP2(std::int32_t, session_get_last_proc_stream_id, vinery::nghttp2::Session*);

VINERY_NGHTTP2(int, submit_settings, vinery::nghttp2::Session*, std::uint8_t flags,
               const vinery::nghttp2::SettingsEntry*, std::size_t count);
VINERY_NGHTTP2(int, submit_response, vinery::nghttp2::Session*, std::int32_t stream,
               const vinery::nghttp2::HeaderField*, std::size_t count, const vinery::nghttp2::DataProvider*);
VINERY_NGHTTP2(int, submit_trailer, vinery::nghttp2::Session*, std::int32_t stream, const vinery::nghttp2::HeaderField*,
               std::size_t count);
VINERY_NGHTTP2(int, submit_rst_stream, vinery::nghttp2::Session*, std::uint8_t flags, std::int32_t stream,
               std::uint32_t code);
VINERY_NGHTTP2(int, submit_ping, vinery::nghttp2::Session*, std::uint8_t flags, const std::uint8_t* eight_bytes);
VINERY_NGHTTP2(int, submit_shutdown_notice, vinery::nghttp2::Session*);
VINERY_NGHTTP2(int, submit_goaway, vinery::nghttp2::Session*, std::uint8_t flags, std::int32_t last_stream,
               std::uint32_t code, const std::uint8_t* debug_data, std::size_t length);
}

namespace vinery {

/// Why HTTP/2 cannot be served in this process; empty when it can. The version is `process.versions.nghttp2`: what
/// would tell it here is not part of the Node.js executable.
std::string_view Nghttp2Fault();

}  // namespace vinery

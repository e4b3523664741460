#include "ingress/nghttp2_functions.h"

namespace vinery {
namespace {

template <typename Function>
bool IsThere(Function* function) {
  return function != nullptr;
}

bool CallbacksAreThere() {
  return IsThere(&nghttp2_session_callbacks_new) && IsThere(&nghttp2_session_callbacks_del) &&
         IsThere(&nghttp2_session_callbacks_set_send_callback) &&
         IsThere(&nghttp2_session_callbacks_set_send_data_callback) &&
         IsThere(&nghttp2_session_callbacks_set_on_begin_headers_callback) &&
         IsThere(&nghttp2_session_callbacks_set_on_header_callback) &&
         IsThere(&nghttp2_session_callbacks_set_on_begin_frame_callback) &&
         IsThere(&nghttp2_session_callbacks_set_on_frame_recv_callback) &&
         IsThere(&nghttp2_session_callbacks_set_on_frame_send_callback) &&
         IsThere(&nghttp2_session_callbacks_set_on_data_chunk_recv_callback) &&
         IsThere(&nghttp2_session_callbacks_set_on_stream_close_callback) &&
         IsThere(&nghttp2_session_callbacks_set_data_source_read_length_callback);
}

bool SessionsAreThere() {
  return IsThere(&nghttp2_session_server_new2) && IsThere(&nghttp2_session_del) && IsThere(&nghttp2_session_mem_recv) &&
         IsThere(&nghttp2_session_send) && IsThere(&nghttp2_session_want_read) &&
         IsThere(&nghttp2_session_want_write) && IsThere(&nghttp2_session_consume_stream) &&
         IsThere(&nghttp2_session_consume_connection) && IsThere(&nghttp2_session_resume_data) &&
         IsThere(&nghttp2_session_set_local_window_size) && IsThere(&nghttp2_session_get_last_proc_stream_id);
}

/// The reset rate limit is younger than the rest and only set where it is there.
bool OthersAreThere() {
  return IsThere(&nghttp2_strerror) && IsThere(&nghttp2_option_new) && IsThere(&nghttp2_option_del) &&
         IsThere(&nghttp2_option_set_no_auto_window_update) && IsThere(&nghttp2_option_set_no_closed_streams) &&
         IsThere(&nghttp2_submit_settings) && IsThere(&nghttp2_submit_response) && IsThere(&nghttp2_submit_trailer) &&
         IsThere(&nghttp2_submit_rst_stream) && IsThere(&nghttp2_submit_ping) &&
         IsThere(&nghttp2_submit_shutdown_notice) && IsThere(&nghttp2_submit_goaway);
}

}  // namespace

std::string_view Nghttp2Fault() {
  const bool all = CallbacksAreThere() && SessionsAreThere() && OthersAreThere();
  return all ? std::string_view() : "this Node.js does not export the functions of nghttp2";
}

}  // namespace vinery

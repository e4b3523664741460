#include "ingress/h2_session.h"

#include <algorithm>
#include <array>
#include <exception>
#include <new>
#include <utility>

#include "ingress/nghttp2_functions.h"

namespace vinery {
namespace {

std::string_view TextOf(const std::uint8_t* bytes, std::size_t length) {
  return {reinterpret_cast<const char*>(bytes), length};
}

/// Nothing may be thrown through nghttp2: what the handler throws waits in the session and comes out of `Receive` or
/// `Send`.
template <typename Returned, typename Call>
Returned Guarded(void* user, Returned failed, const Call& call) noexcept {
  H2Session& session = *static_cast<H2Session*>(user);
  try {
    return call(session.handler());
  } catch (...) {
    session.KeepException(std::current_exception());
    return failed;
  }
}

template <typename Call>
int Guarded(void* user, const Call& call) noexcept {
  return Guarded<int>(user, nghttp2::kCallbackFailure, call);
}

ssize_t OnSend(nghttp2::Session* /*session*/, const std::uint8_t* bytes, std::size_t length, int /*flags*/,
               void* user) {
  return Guarded<ssize_t>(user, nghttp2::kCallbackFailure, [&](H2Handler& handler) {
    return handler.Write(bytes, length) ? static_cast<ssize_t>(length) : ssize_t{nghttp2::kWouldBlock};
  });
}

int OnSendData(nghttp2::Session* /*session*/, const nghttp2::Frame* frame, const std::uint8_t* head, std::size_t length,
               nghttp2::DataSource* /*source*/, void* user) {
  return Guarded(user, [&](H2Handler& handler) {
    return handler.WriteBody(frame->head.stream_id, head, length) ? 0 : nghttp2::kWouldBlock;
  });
}

int OnBeginHeaders(nghttp2::Session* /*session*/, const nghttp2::Frame* frame, void* user) {
  return Guarded(user, [&](H2Handler& handler) {
    handler.OnRequest(frame->head.stream_id);
    return 0;
  });
}

int OnHeader(nghttp2::Session* /*session*/, const nghttp2::Frame* frame, const std::uint8_t* name,
             std::size_t name_length, const std::uint8_t* value, std::size_t value_length, std::uint8_t /*flags*/,
             void* user) {
  return Guarded(user, [&](H2Handler& handler) {
    const bool ok = handler.OnHeader(frame->head.stream_id, TextOf(name, name_length), TextOf(value, value_length));
    return ok ? 0 : nghttp2::kCallbackFailure;
  });
}

int OnBeginFrame(nghttp2::Session* /*session*/, const nghttp2::FrameHead* head, void* user) {
  // Empty DATA frames carry nothing either, but for the end of a stream.
  const bool empty_data = head->type == nghttp2::kData && head->length == 0 && head->flags != nghttp2::kFlagEndStream;
  const bool control = empty_data || (head->type > nghttp2::kHeaders && head->type != nghttp2::kWindowUpdate);
  return Guarded(user, [&](H2Handler& handler) {
    // Of one that is padded the padding is not told apart yet.
    const bool plain_data = head->type == nghttp2::kData && (head->flags & nghttp2::kFlagPadded) == 0;
    if (plain_data) handler.OnDataFrame(head->stream_id, head->length);
    return !control || handler.OnControlFrame() ? 0 : nghttp2::kCallbackFailure;
  });
}

PingKind KindOfPing(const nghttp2::FrameHead& head) {
  return static_cast<PingKind>(reinterpret_cast<const nghttp2::PingFrame&>(head).payload[0]);
}

void TellFrame(H2Handler& handler, const nghttp2::FrameHead& head) {
  if (head.type == nghttp2::kHeaders) handler.OnHeadersEnd(head.stream_id);
  const bool of_request = head.type == nghttp2::kHeaders || head.type == nghttp2::kData;
  if (of_request && (head.flags & nghttp2::kFlagEndStream) != 0) handler.OnRequestEnd(head.stream_id);
  if ((head.flags & nghttp2::kFlagAck) == 0) return;
  if (head.type == nghttp2::kPing) handler.OnPingAck(KindOfPing(head));
  if (head.type == nghttp2::kSettings) handler.OnSettingsAck();
}

int OnFrame(nghttp2::Session* /*session*/, const nghttp2::Frame* frame, void* user) {
  return Guarded(user, [&](H2Handler& handler) {
    TellFrame(handler, frame->head);
    return 0;
  });
}

int OnFrameSent(nghttp2::Session* /*session*/, const nghttp2::Frame* frame, void* user) {
  const nghttp2::FrameHead& head = frame->head;
  const bool of_answer = head.type == nghttp2::kHeaders || head.type == nghttp2::kData;
  const bool ends_answer = of_answer && (head.flags & nghttp2::kFlagEndStream) != 0;
  if (!ends_answer && head.type != nghttp2::kGoaway) return 0;
  return Guarded(user, [&](H2Handler& handler) {
    if (ends_answer) {
      handler.OnAnswerEnd(head.stream_id);
    } else {
      handler.OnGoawaySent();
    }
    return 0;
  });
}

int OnDataChunk(nghttp2::Session* /*session*/, std::uint8_t /*flags*/, std::int32_t stream, const std::uint8_t* data,
                std::size_t length, void* user) {
  return Guarded(user, [&](H2Handler& handler) {
    handler.OnData(stream, data, length);
    return 0;
  });
}

int OnStreamClose(nghttp2::Session* /*session*/, std::int32_t stream, std::uint32_t /*code*/, void* user) {
  return Guarded(user, [&](H2Handler& handler) {
    handler.OnStreamClose(stream);
    return 0;
  });
}

/// Without this nghttp2 keeps frames at 16 KB, whatever the client takes.
ssize_t LargestFrame(nghttp2::Session* /*session*/, std::uint8_t /*type*/, std::int32_t /*stream*/,
                     std::int32_t connection_window, std::int32_t stream_window, std::uint32_t max_frame_size,
                     void* /*user*/) {
  // One stream must not keep the others waiting for a whole megabyte.
  constexpr std::int64_t kFairFrame = 256L * 1024;
  const std::int64_t window = std::min(connection_window, stream_window);
  return static_cast<ssize_t>(std::min({window, static_cast<std::int64_t>(max_frame_size), kFairFrame}));
}

struct CallbacksDeleter {
  void operator()(nghttp2::Callbacks* callbacks) const { nghttp2_session_callbacks_del(callbacks); }
};

struct OptionDeleter {
  void operator()(nghttp2::Option* option) const { nghttp2_option_del(option); }
};

void CheckMemory(int result) {
  if (result != 0) throw std::bad_alloc();
}

/// What is asked for a stream that has closed meanwhile comes to nothing, which is as it should be.
void AskFor(int result) {
  if (result == nghttp2::kNoMemory) throw std::bad_alloc();
}

std::unique_ptr<nghttp2::Callbacks, CallbacksDeleter> NewCallbacks() {
  nghttp2::Callbacks* made = nullptr;
  CheckMemory(nghttp2_session_callbacks_new(&made));
  std::unique_ptr<nghttp2::Callbacks, CallbacksDeleter> callbacks(made);
  nghttp2_session_callbacks_set_send_callback(made, OnSend);
  nghttp2_session_callbacks_set_send_data_callback(made, OnSendData);
  nghttp2_session_callbacks_set_on_begin_headers_callback(made, OnBeginHeaders);
  nghttp2_session_callbacks_set_on_header_callback(made, OnHeader);
  nghttp2_session_callbacks_set_on_begin_frame_callback(made, OnBeginFrame);
  nghttp2_session_callbacks_set_on_frame_recv_callback(made, OnFrame);
  nghttp2_session_callbacks_set_on_frame_send_callback(made, OnFrameSent);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, OnDataChunk);
  nghttp2_session_callbacks_set_on_stream_close_callback(made, OnStreamClose);
  nghttp2_session_callbacks_set_data_source_read_length_callback(made, LargestFrame);
  return callbacks;
}

std::unique_ptr<nghttp2::Option, OptionDeleter> NewOption(const H2Settings& settings) {
  nghttp2::Option* made = nullptr;
  CheckMemory(nghttp2_option_new(&made));
  std::unique_ptr<nghttp2::Option, OptionDeleter> option(made);
  nghttp2_option_set_no_auto_window_update(made, 1);
  nghttp2_option_set_no_closed_streams(made, 1);
  if (&nghttp2_option_set_stream_reset_rate_limit != nullptr) {
    nghttp2_option_set_stream_reset_rate_limit(made, settings.reset_burst, settings.reset_rate);
  }
  return option;
}

/// nghttp2 only reads what its field type lets it write.
std::uint8_t* Bytes(std::string_view text) {
  return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text.data()));
}

std::vector<nghttp2::HeaderField> Fields(const HeaderList& headers) {
  std::vector<nghttp2::HeaderField> fields;
  fields.reserve(headers.size());
  for (const auto& [name, value] : headers) {
    fields.push_back({Bytes(name), Bytes(value), name.size(), value.size(), nghttp2::kFlagNone});
  }
  return fields;
}

ssize_t ReadBody(nghttp2::Session* session, std::int32_t stream, std::size_t length, std::uint32_t* flags,
                 H2Handler& handler, bool with_trailers) {
  bool ends = false;
  const std::size_t count = handler.BodyBytes(stream, length, ends);
  if (count == 0 && !ends) return nghttp2::kDeferred;
  *flags |= nghttp2::kBodyNotCopied;
  if (!ends) return static_cast<ssize_t>(count);
  *flags |= nghttp2::kBodyEnds;
  if (with_trailers) {
    *flags |= nghttp2::kTrailersFollow;
    const auto fields = Fields(handler.Trailers(stream));
    AskFor(nghttp2_submit_trailer(session, stream, fields.data(), fields.size()));
  }
  return static_cast<ssize_t>(count);
}

ssize_t ReadBodyBeforeTrailers(nghttp2::Session* session, std::int32_t stream, std::uint8_t* /*buffer*/,
                               std::size_t length, std::uint32_t* flags, nghttp2::DataSource* /*source*/, void* user) {
  return Guarded<ssize_t>(user, nghttp2::kCallbackFailure,
                          [&](H2Handler& handler) { return ReadBody(session, stream, length, flags, handler, true); });
}

ssize_t ReadWholeBody(nghttp2::Session* session, std::int32_t stream, std::uint8_t* /*buffer*/, std::size_t length,
                      std::uint32_t* flags, nghttp2::DataSource* /*source*/, void* user) {
  return Guarded<ssize_t>(user, nghttp2::kCallbackFailure,
                          [&](H2Handler& handler) { return ReadBody(session, stream, length, flags, handler, false); });
}

void Submit(nghttp2::Session* session, std::int32_t stream, const HeaderList& headers,
            const nghttp2::DataProvider* body) {
  const auto fields = Fields(headers);
  AskFor(nghttp2_submit_response(session, stream, fields.data(), fields.size(), body));
}

}  // namespace

void H2Session::Deleter::operator()(nghttp2::Session* session) const { nghttp2_session_del(session); }

H2Session::H2Session(H2Handler& handler, const H2Settings& settings) : handler_(handler) {
  const auto callbacks = NewCallbacks();
  const auto option = NewOption(settings);
  nghttp2::Session* made = nullptr;
  CheckMemory(nghttp2_session_server_new2(&made, callbacks.get(), this, option.get()));
  session_.reset(made);
  const std::array<nghttp2::SettingsEntry, 4> entries = {{
      {nghttp2::kMaxConcurrentStreams, settings.max_concurrent_streams},
      {nghttp2::kInitialWindowSize, settings.stream_window},
      {nghttp2::kMaxFrameSize, settings.max_frame_size},
      {nghttp2::kMaxHeaderListSize, settings.max_header_list_size},
  }};
  CheckMemory(nghttp2_submit_settings(made, nghttp2::kFlagNone, entries.data(), entries.size()));
  CheckMemory(nghttp2_session_set_local_window_size(made, nghttp2::kFlagNone, 0,
                                                    static_cast<std::int32_t>(settings.connection_window)));
}

int H2Session::Receive(const std::uint8_t* bytes, std::size_t length) {
  const ssize_t taken = nghttp2_session_mem_recv(session_.get(), bytes, length);
  Rethrow();
  return taken < 0 ? static_cast<int>(taken) : 0;
}

int H2Session::Send() {
  const int result = nghttp2_session_send(session_.get());
  Rethrow();
  return result;
}

void H2Session::Rethrow() {
  if (exception_ != nullptr) std::rethrow_exception(std::exchange(exception_, nullptr));
}

bool H2Session::WantsRead() const { return nghttp2_session_want_read(session_.get()) != 0; }

bool H2Session::WantsWrite() const { return nghttp2_session_want_write(session_.get()) != 0; }

void H2Session::ConsumeStream(std::int32_t stream, std::size_t length) {
  AskFor(nghttp2_session_consume_stream(session_.get(), stream, length));
}

void H2Session::ConsumeConnection(std::size_t length) {
  AskFor(nghttp2_session_consume_connection(session_.get(), length));
}

void H2Session::SetStreamWindow(std::uint32_t bytes) {
  const nghttp2::SettingsEntry entry = {nghttp2::kInitialWindowSize, bytes};
  AskFor(nghttp2_submit_settings(session_.get(), nghttp2::kFlagNone, &entry, 1));
}

void H2Session::Respond(std::int32_t stream, const HeaderList& headers) {
  const nghttp2::DataProvider body = {{}, ReadBodyBeforeTrailers};
  Submit(session_.get(), stream, headers, &body);
}

void H2Session::RespondWithHeaders(std::int32_t stream, const HeaderList& headers) {
  Submit(session_.get(), stream, headers, nullptr);
}

void H2Session::RespondWithoutTrailers(std::int32_t stream, const HeaderList& headers) {
  const nghttp2::DataProvider body = {{}, ReadWholeBody};
  Submit(session_.get(), stream, headers, &body);
}

void H2Session::Resume(std::int32_t stream) { AskFor(nghttp2_session_resume_data(session_.get(), stream)); }

void H2Session::Reset(std::int32_t stream, std::uint32_t code) {
  AskFor(nghttp2_submit_rst_stream(session_.get(), nghttp2::kFlagNone, stream, code));
}

void H2Session::Ping(PingKind kind) {
  const std::array<std::uint8_t, 8> payload = {static_cast<std::uint8_t>(kind)};
  AskFor(nghttp2_submit_ping(session_.get(), nghttp2::kFlagNone, payload.data()));
}

void H2Session::AnnounceEnd() { AskFor(nghttp2_submit_shutdown_notice(session_.get())); }

void H2Session::End(std::uint32_t code) {
  const std::int32_t last = nghttp2_session_get_last_proc_stream_id(session_.get());
  AskFor(nghttp2_submit_goaway(session_.get(), nghttp2::kFlagNone, last, code, nullptr, 0));
}

}  // namespace vinery

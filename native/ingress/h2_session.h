#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "ingress/nghttp2_types.h"

namespace vinery {

using HeaderList = std::vector<std::pair<std::string_view, std::string_view>>;

/// What an HTTP/2 connection announces to its client.
struct H2Settings {
  std::uint32_t max_concurrent_streams;
  /// Bytes a client may send on a stream, and on the connection, before it is told that they were taken.
  std::uint32_t stream_window;
  std::uint32_t connection_window;
  std::uint32_t max_frame_size;
  std::uint32_t max_header_list_size;
  /// Streams a client may reset: at once, and then a second.
  std::uint64_t reset_burst;
  std::uint64_t reset_rate;
};

/// What a ping of ours asks; its acknowledgement repeats it.
enum class PingKind : std::uint8_t {
  /// Whether the client is there.
  kKeepalive,
  /// Whether the client has read the GOAWAY that was sent before the ping.
  kGoawayRead,
};

/// What happens on an HTTP/2 connection. Called within `H2Session::Receive` and `Send`, and what is thrown comes out of
/// them; the session is of no use then.
class H2Handler {
 public:
  H2Handler() = default;
  H2Handler(const H2Handler&) = delete;
  H2Handler& operator=(const H2Handler&) = delete;
  H2Handler(H2Handler&&) = delete;
  H2Handler& operator=(H2Handler&&) = delete;
  virtual ~H2Handler() = default;

  virtual void OnRequest(std::int32_t stream) = 0;
  /// False ends the connection: the client has gone too far.
  virtual bool OnHeader(std::int32_t stream, std::string_view name, std::string_view value) = 0;
  virtual void OnHeadersEnd(std::int32_t stream) = 0;
  /// A frame with so many bytes for `OnData` has begun, unless the session finds fault with it.
  virtual void OnDataFrame(std::int32_t stream, std::size_t length) = 0;
  /// The bytes count against the windows until both `Consume...`.
  virtual void OnData(std::int32_t stream, const std::uint8_t* data, std::size_t length) = 0;
  /// The client has sent its whole side.
  virtual void OnRequestEnd(std::int32_t stream) = 0;
  /// The server's whole side is framed.
  virtual void OnAnswerEnd(std::int32_t stream) = 0;
  virtual void OnStreamClose(std::int32_t stream) = 0;
  /// A frame has begun that brings no part of a request; false ends the connection.
  virtual bool OnControlFrame() = 0;
  virtual void OnPingAck(PingKind kind) = 0;
  /// A GOAWAY is framed: what is submitted from here on reaches the client after it.
  virtual void OnGoawaySent() = 0;
  virtual void OnSettingsAck() = 0;

  /// How many bytes of the body may go into the next frame, at most `limit`; 0 without `ends`: none are there yet.
  virtual std::size_t BodyBytes(std::int32_t stream, std::size_t limit, bool& ends) = 0;
  /// The trailers that follow a body that has ended.
  virtual const HeaderList& Trailers(std::int32_t stream) = 0;
  /// Takes bytes to be sent; false when there is no room.
  virtual bool Write(const std::uint8_t* bytes, std::size_t length) = 0;
  /// Takes the nine bytes of a frame's head and `length` bytes of the body of the stream; false when there is no room.
  virtual bool WriteBody(std::int32_t stream, const std::uint8_t* frame_head, std::size_t length) = 0;
};

/// One HTTP/2 connection, server side, by nghttp2. It sees bytes and knows no socket. Whatever asks for memory throws
/// `std::bad_alloc` when there is none, and the session is of no use then.
class H2Session {
 public:
  H2Session(H2Handler& handler, const H2Settings& settings);
  H2Session(const H2Session&) = delete;
  H2Session& operator=(const H2Session&) = delete;
  H2Session(H2Session&&) = delete;
  H2Session& operator=(H2Session&&) = delete;
  ~H2Session() = default;

  /// 0, or nghttp2's number of what is wrong with the connection as a whole.
  int Receive(const std::uint8_t* bytes, std::size_t length);
  /// Writes what is due through the handler until nothing is left or there is no room. @returns as `Receive`.
  int Send();
  bool WantsRead() const;
  bool WantsWrite() const;

  /// Bytes of the stream were taken: the client may send as many more on it.
  void ConsumeStream(std::int32_t stream, std::size_t length);
  /// The same on the connection, for bytes of whatever stream.
  void ConsumeConnection(std::size_t length);
  /// From the client's `OnSettingsAck` on, what it may send on each of its streams before that is taken.
  void SetStreamWindow(std::uint32_t bytes);

  /// Headers, then the body that the handler gives, then its trailers.
  void Respond(std::int32_t stream, const HeaderList& headers);
  /// Headers that are all of the answer.
  void RespondWithHeaders(std::int32_t stream, const HeaderList& headers);
  /// Headers and a body whose end is the end of the stream; the handler gives the body.
  void RespondWithoutTrailers(std::int32_t stream, const HeaderList& headers);
  /// More of the body is there, or its end is known.
  void Resume(std::int32_t stream);
  void Reset(std::int32_t stream, std::uint32_t code);
  /// Leaves before anything else that is due, a GOAWAY included.
  void Ping(PingKind kind);
  /// Tells the client to open no more streams here; those it has opened meanwhile are still served.
  void AnnounceEnd();
  /// From here on new streams are ignored, and the client knows which.
  void End(std::uint32_t code);

  // For the callbacks of nghttp2.
  H2Handler& handler() { return handler_; }
  void KeepException(std::exception_ptr exception) noexcept { exception_ = std::move(exception); }

 private:
  struct Deleter {
    void operator()(nghttp2::Session* session) const;
  };

  void Rethrow();

  H2Handler& handler_;
  std::exception_ptr exception_;
  std::unique_ptr<nghttp2::Session, Deleter> session_;
};

}  // namespace vinery

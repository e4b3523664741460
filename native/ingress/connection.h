#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/descriptor.h"
#include "ingress/connection_host.h"
#include "ingress/frame_budget.h"
#include "ingress/grpc_stream.h"
#include "ingress/h2_session.h"
#include "ingress/out_queue.h"

namespace vinery {

/// One client's connection: the socket, its HTTP/2 session and its calls. I/O thread only.
class Connection : private H2Handler, private StreamCarrier {
 public:
  Connection(ConnectionHost& host, Descriptor socket, std::uint64_t number);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  Connection(Connection&&) = delete;
  Connection& operator=(Connection&&) = delete;
  ~Connection() override;

  int socket() const { return socket_.get(); }
  /// Reads what is there, as far as `buffer` goes a few times, or to the end of a large message: whoever works on it
  /// now finds it in the caches. @returns whether there was such an end.
  bool Read(std::vector<std::uint8_t>& buffer);
  /// Frames and writes what is due.
  void Flush();
  /// Nothing more will happen here.
  bool is_over() const { return over_; }
  /// What the thread is to wait for.
  bool wants_read() const { return !paused_; }
  bool wants_write() const { return blocked_; }
  /// What the thread waits for, and until when; the thread's own notes.
  std::uint32_t watched = 0;
  Clock::time_point look_at;
  /// Fewer bytes are kept without a region now.
  void ReadAgain() { paused_ = false; }
  /// The system says that the client is gone, which a connection that is not read would not notice.
  void HungUp();
  /// Something went wrong that is no fault of the client's: the connection is over, and the log has it.
  void Break(const char* reason) noexcept;

  void Send(GrpcStream& stream, std::shared_ptr<OutMessage> message);
  void Finish(GrpcStream& stream, std::uint32_t code, const std::string& text,
              const std::vector<std::string>& metadata);
  /// JavaScript has finished with a call that was handed over.
  /// @param expected as it was noted then.
  void CallFinished(std::size_t expected);

  /// Asks for no new calls; those on their way are served until the client has heard of it, or for a while. Over when
  /// the last call is, and the client has read its answer and closed.
  void Drain();
  /// As `Drain`, for the end of the ingress: what does not move is given up.
  void Stop();
  /// Does what its time has come for: pings, asks the client to leave, gives up. @returns when to look again.
  Clock::time_point Tend();
  /// Whether `Tend` is to be called sooner than it said: the connection has begun to end. Once.
  bool TakeHurry() { return std::exchange(hurries_, false); }

 private:
  // H2Handler
  void OnRequest(std::int32_t stream) override;
  bool OnHeader(std::int32_t stream, std::string_view name, std::string_view value) override;
  void OnHeadersEnd(std::int32_t stream) override;
  void OnDataFrame(std::int32_t stream, std::size_t length) override;
  void OnData(std::int32_t stream, const std::uint8_t* data, std::size_t length) override;
  void OnRequestEnd(std::int32_t stream) override;
  void OnAnswerEnd(std::int32_t stream) override;
  void OnStreamClose(std::int32_t stream) override;
  bool OnControlFrame() override;
  void OnPingAck(PingKind kind) override;
  void OnGoawaySent() override;
  void OnSettingsAck() override;
  std::size_t BodyBytes(std::int32_t stream, std::size_t limit, bool& ends) override;
  const HeaderList& Trailers(std::int32_t stream) override;
  bool Write(const std::uint8_t* bytes, std::size_t length) override;
  bool WriteBody(std::int32_t stream, const std::uint8_t* frame_head, std::size_t length) override;

  // StreamCarrier
  ConnectionHost& host() override { return host_; }
  std::uint64_t number() const override { return number_; }
  void HandOverSoon(const GrpcStream& stream) override;
  void Handed(const GrpcStream& stream) override;
  void ConsumeOf(std::int32_t stream, std::size_t length) override;
  void ConsumeLast(std::size_t length) override { Pay(length); }
  void CountFilling(int change) override;
  void CountKept(std::ptrdiff_t change) override;

  GrpcStream* Find(std::int32_t stream);
  Destination NextPlace();
  bool IsFilling(std::int32_t stream);
  void Receive(const std::uint8_t* bytes, std::size_t length);
  bool ReadRequests(std::vector<std::uint8_t>& buffer);
  bool Discard(std::vector<std::uint8_t>& buffer);
  void Fail(int fault);
  bool WriteOut();
  void Leave(LifeLimits::Milliseconds at_most);
  ConnectionLife::Awaited Awaited() const;
  void NoteUnacknowledged();
  void DropUnfinished();
  void Take(ConnectionLife::Step step);
  void GiveUp(const char* words);
  void AnswerHttp(GrpcStream& stream, int status);
  void HandOverParked();
  bool HasRoomFor(const GrpcStream& stream) const;
  void Notice(const std::string& words);
  void EndNewStreams();
  void Pay(std::size_t length);
  void PayWhileFilling();
  void WidenAgain();
  void Close() { over_ = true; }

  static constexpr std::size_t kUnlimitedHead = SIZE_MAX;

  ConnectionHost& host_;
  Descriptor socket_;
  const std::uint64_t number_;
  H2Session session_;
  OutQueue out_;
  std::unordered_map<std::int32_t, std::unique_ptr<GrpcStream>> streams_;
  /// Whole requests by stream, in the order of their arrival, until what was read with them is worked on and the client
  /// has read enough of its answers.
  std::deque<std::int32_t> parked_;
  /// Bytes of messages that the client has not read yet; shared with those messages.
  std::shared_ptr<std::size_t> unsent_ = std::make_shared<std::size_t>(0);
  std::size_t handed_ = 0;
  /// Bytes that are likely to come of those.
  std::size_t expected_ = 0;
  std::ptrdiff_t kept_ = 0;
  /// Bytes that were received and that the client has not been told to be taken.
  std::size_t debt_ = 0;
  int filling_ = 0;
  /// The frame of data that has begun, and how many of its bytes are still to come.
  std::int32_t frame_stream_ = 0;
  std::size_t frame_left_ = 0;
  /// What is read at a time of which it is not known where it belongs.
  std::size_t head_bytes_ = kUnlimitedHead;
  FrameBudget budget_;
  ConnectionLife life_;
  /// Settings the client has not acknowledged.
  int unheard_settings_ = 1;
  /// The client's streams have small windows for now.
  bool narrow_ = false;
  bool ended_ = false;
  /// Calls were there when the ingress began to stop, or came afterwards.
  bool had_calls_ = false;
  /// Nothing more is framed; once everything is written the server's side is closed, and the client's is read to its
  /// end.
  bool leaving_ = false;
  bool half_closed_ = false;
  bool hurries_ = false;
  /// Of what was written, as it was seen last.
  int unacknowledged_ = 0;
  bool paused_ = false;
  bool blocked_ = false;
  bool over_ = false;
};

}  // namespace vinery

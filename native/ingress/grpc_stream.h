#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ingress/connection_host.h"
#include "ingress/message_reader.h"
#include "ingress/out_message.h"
#include "ingress/request_head.h"

namespace vinery {

/// What a stream needs of its connection.
class StreamCarrier {
 public:
  StreamCarrier() = default;
  StreamCarrier(const StreamCarrier&) = delete;
  StreamCarrier& operator=(const StreamCarrier&) = delete;
  StreamCarrier(StreamCarrier&&) = delete;
  StreamCarrier& operator=(StreamCarrier&&) = delete;
  virtual ~StreamCarrier() = default;

  virtual ConnectionHost& host() = 0;
  virtual std::uint64_t number() const = 0;
  /// The request is whole; `GrpcStream::HandOver` is called when its turn has come.
  virtual void HandOverSoon(const GrpcStream& stream) = 0;
  /// One more call is JavaScript's to finish.
  virtual void Handed(const GrpcStream& stream) = 0;
  /// Bytes of the stream were taken.
  virtual void ConsumeOf(std::int32_t stream, std::size_t length) = 0;
  /// The same for the last ones: the client sends no more on it, and need not hear that it may.
  virtual void ConsumeLast(std::size_t length) = 0;
  /// One stream more, or fewer, has a message in a region that is not complete.
  virtual void CountFilling(int change) = 0;
  /// More, or fewer, bytes are kept without a region.
  virtual void CountKept(std::ptrdiff_t change) = 0;
};

/// One call, from its headers to its trailers. I/O thread only.
class GrpcStream : private MessageReaderHost {
 public:
  GrpcStream(StreamCarrier& carrier, std::int32_t id) : carrier_(carrier), id_(id) {}
  GrpcStream(const GrpcStream&) = delete;
  GrpcStream& operator=(const GrpcStream&) = delete;
  GrpcStream(GrpcStream&&) = delete;
  GrpcStream& operator=(GrpcStream&&) = delete;
  /// The stream has closed: what was not answered is cancelled, what was received is given back.
  ~GrpcStream() override;

  std::int32_t id() const { return id_; }
  std::uint64_t call() const { return call_; }
  /// Of the host's methods, -1 for none.
  std::int32_t method() const { return method_; }

  /// False when the headers are too long to go on with the connection.
  bool AddHeader(std::string_view name, std::string_view value);
  /// The status of HTTP with which a request that is none of gRPC's is answered; 0 for one that is. Once.
  int EndHeaders();
  void Receive(const std::uint8_t* data, std::size_t length);
  /// Where the next bytes for `Receive` will be copied to, as `MessageReader::destination`.
  Destination destination() const { return reader_.has_value() ? reader_->destination() : Destination{}; }
  void EndRequest();
  /// Bytes that count against the windows still.
  std::size_t unconsumed() const { return reader_ ? reader_->kept() : 0; }
  bool is_request_over() const { return ended_; }
  /// JavaScript works on the call, or is to give it memory.
  bool is_with_server() const { return (is_handed_ && !is_finished_) || awaits_region(); }
  /// All of the answer is there, to be sent.
  bool is_answered() const { return is_finished_; }

  void GiveRegion(const Region& region);
  bool awaits_region() const { return reader_.has_value() && reader_->awaits_region(); }
  /// A message waits for its region since so long, when it does.
  Clock::time_point awaits_since() const { return since_; }
  /// Whether the client lets a message that has its region come to no end: for `patience` or longer, since its
  /// beginning or since this was asked last and was false, less of it has come than a slow network brings.
  bool IsStalled(std::chrono::milliseconds patience);
  /// Gives the region of such a message up, and with it the call.
  void GiveUpStalled();
  void Continue();
  void HandOver();
  void DeadlinePassed();

  /// @returns whether this is the first of the answer.
  bool AddMessage(std::shared_ptr<OutMessage> message);
  /// @returns whether nothing was sent before: headers are all of the answer.
  bool Finish(std::uint32_t code, const std::string& text, const std::vector<std::string>& metadata);
  const HeaderList& trailers() const { return trailers_; }

  std::size_t BodyBytes(std::size_t limit, bool& ends) const;
  /// Moves the next `length` bytes of the body to `write(piece, message)`.
  template <typename Write>
  void TakeBody(std::size_t length, const Write& write);

 private:
  Region TakeRegion(std::uint64_t size) override;
  bool OnMessage(const ReceivedMessage& message) override;
  void OnRefusal(Refusal reason, std::uint64_t number) override;

  bool StartDeadline();
  void OpenMethod();
  void Refuse(Refusal reason, double number = 0);
  void Consumed(std::size_t length);
  bool IsWhole() const;
  void NoteFilling();
  void CheckEnd();
  void EmitMessage(EventKind kind, const ReceivedMessage& message);
  void Emit(IngressEvent event);
  double FlagsOf(const ReceivedMessage& message) const;
  std::shared_ptr<const EventTexts> Texts() const;
  void DropRegion(const Region& region);

  StreamCarrier& carrier_;
  const std::int32_t id_;
  std::uint64_t call_ = 0;
  std::int32_t method_ = -1;
  RequestHead head_;
  std::optional<MessageReader> reader_;
  std::optional<Clock::time_point> deadline_;
  /// The whole message of a unary request until it is handed over.
  std::optional<ReceivedMessage> received_;
  bool is_known_ = false;
  bool is_refused_ = false;
  bool is_filling_ = false;
  /// When a region was asked for, or given, or how far its message had come was seen last.
  Clock::time_point since_;
  std::uint64_t seen_filled_ = 0;
  bool ended_ = false;
  bool end_told_ = false;
  bool is_handed_ = false;

  std::deque<std::shared_ptr<OutMessage>> answers_;
  std::size_t piece_ = 0;
  std::size_t piece_begin_ = 0;
  std::size_t unsent_ = 0;
  bool headers_sent_ = false;
  bool is_finished_ = false;
  std::vector<std::string> trailer_texts_;
  HeaderList trailers_;
};

template <typename Write>
void GrpcStream::TakeBody(std::size_t length, const Write& write) {
  unsent_ -= length;
  while (length > 0) {
    const std::shared_ptr<OutMessage>& message = answers_.front();
    if (piece_ == message->pieces().size()) {
      answers_.pop_front();
      piece_ = 0;
      continue;
    }
    const OutMessage::Piece& piece = message->pieces()[piece_];
    const std::size_t count = std::min(length, piece.length - piece_begin_);
    write(OutMessage::Piece{piece.data + piece_begin_, count}, message);
    length -= count;
    piece_begin_ += count;
    if (piece_begin_ < piece.length) continue;
    piece_begin_ = 0;
    ++piece_;
  }
  if (unsent_ == 0) {
    answers_.clear();
    piece_ = 0;
  }
}

}  // namespace vinery

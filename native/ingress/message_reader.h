#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "ingress/content_place.h"
#include "ingress/region.h"

namespace vinery {

/// Why a request was not handed to its method. The numbers are `INGRESS_REFUSAL` of `src/native/ingress-binding.ts`.
enum class Refusal : std::int32_t {
  kDeadline,
  kMessageTooLarge,
  kBrokenMessage,
  kNoMessage,
  kTooManyMessages,
  kUnknownMethod,
  kUnknownEncoding,
  kHeadersTooLarge,
  kInvalidTimeout,
  kStalled,
};

/// A whole message in its region.
struct ReceivedMessage {
  /// None for an empty message.
  Region region;
  std::uint64_t start = 0;
  std::uint64_t length = 0;
  bool compressed = false;
};

/// Memory that bytes of a message go to.
struct Destination {
  std::uint8_t* data = nullptr;
  std::size_t length = 0;
};

/// What a reader asks of its call.
class MessageReaderHost {
 public:
  MessageReaderHost() = default;
  MessageReaderHost(const MessageReaderHost&) = delete;
  MessageReaderHost& operator=(const MessageReaderHost&) = delete;
  MessageReaderHost(MessageReaderHost&&) = delete;
  MessageReaderHost& operator=(MessageReaderHost&&) = delete;
  virtual ~MessageReaderHost() = default;

  /// A region of at least `size` bytes; none when `MessageReader::Give` will bring one later.
  virtual Region TakeRegion(std::uint64_t size) = 0;
  /// False: no further message is wanted until `MessageReader::Continue`.
  virtual bool OnMessage(const ReceivedMessage& message) = 0;
  /// Nothing more will be read.
  virtual void OnRefusal(Refusal reason, std::uint64_t number) = 0;
};

/// Puts the messages of one stream together: gRPC's prefix, then the bytes, which are copied once, from where they were
/// received to where they stay, if they were not received there. The largest content on the path begins at a multiple
/// of 64 bytes.
class MessageReader {
 public:
  /// @param limit of a message, in bytes.
  /// @param single whether a second message is one too many.
  MessageReader(MessageReaderHost& host, const ContentPath& path, std::uint64_t limit, bool single)
      : host_(host), path_(path), limit_(limit), single_(single) {}

  /// Takes bytes of the stream. @returns how many bytes, of these or earlier ones, need not be kept for any longer.
  std::size_t Append(const std::uint8_t* data, std::size_t length);
  /// The region that was asked for. @returns as `Append`.
  std::size_t Give(const Region& region);
  /// The next message is wanted. @returns as `Append`.
  std::size_t Continue();

  /// Between two messages, with nothing begun.
  bool is_idle() const {
    return (state_ == State::kPrefix || state_ == State::kPaused) && prefix_length_ == 0 && kept() == 0;
  }
  /// All that has come was read, as far as it can be without more of the stream.
  bool is_drained() const { return kept() == 0 || (state_ != State::kAwaitRegion && state_ != State::kPaused); }
  bool awaits_region() const { return state_ == State::kAwaitRegion; }
  /// A message has its region and is not complete.
  bool is_filling() const { return state_ == State::kPlace || state_ == State::kFill; }
  /// Bytes of that message which are in its region.
  std::uint64_t filled() const { return filled_; }
  /// Where the next bytes of the message will be copied to, and how many it lacks; nowhere when more is to be known
  /// first. What is received right there need not be copied; until `Append` it counts for nothing.
  Destination destination() const;
  /// Bytes that were received and cannot be placed yet.
  std::size_t kept() const { return kept_.size() - kept_begin_; }
  /// Gives up the region of a message that has begun, if there is one.
  Region Abandon();

 private:
  enum class State : std::uint8_t { kPrefix, kAwaitRegion, kPlace, kFill, kPaused, kRefused };
  struct Input {
    const std::uint8_t* data;
    std::size_t length;
  };

  std::size_t Consume(Input& input);
  bool Step(Input& input);
  bool ReadPrefix(Input& input);
  bool BeginMessage();
  bool Place(Input& input);
  bool Fill(Input& input);
  bool Finish();
  bool Refuse(Refusal reason, std::uint64_t number);
  std::size_t RunKept();

  MessageReaderHost& host_;
  const ContentPath& path_;
  const std::uint64_t limit_;
  const bool single_;
  bool had_message_ = false;
  State state_ = State::kPrefix;
  std::array<std::uint8_t, 5> prefix_{};
  std::size_t prefix_length_ = 0;
  ReceivedMessage message_;
  std::uint64_t filled_ = 0;
  /// Received and not yet taken; what stands before `kept_begin_` was.
  std::vector<std::uint8_t> kept_;
  std::size_t kept_begin_ = 0;
};

}  // namespace vinery

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "ingress/out_message.h"

namespace vinery {

/// Bytes that wait for a socket. Small ones are gathered, pieces of messages stay where they are and are only referred
/// to.
class OutQueue {
 public:
  enum class Result : std::uint8_t { kEmpty, kBlocked, kBroken };

  void Append(const std::uint8_t* bytes, std::size_t length);
  void Append(const OutMessage::Piece& piece, const std::shared_ptr<OutMessage>& message);
  /// Writes as much as the socket takes.
  Result Flush(int socket);

  std::size_t length() const { return length_; }
  bool is_full() const { return length_ >= kFull; }

 private:
  /// Beyond this nothing more is framed: what the client does not read stays in its messages.
  static constexpr std::size_t kFull = 256UL * 1024;

  struct Chunk {
    std::vector<std::uint8_t> gathered;
    OutMessage::Piece piece;
    std::shared_ptr<OutMessage> message;
  };

  void Drop(std::size_t count);
  static const std::uint8_t* DataOf(const Chunk& chunk) {
    return chunk.message == nullptr ? chunk.gathered.data() : chunk.piece.data;
  }
  static std::size_t LengthOf(const Chunk& chunk) {
    return chunk.message == nullptr ? chunk.gathered.size() : chunk.piece.length;
  }

  std::deque<Chunk> chunks_;
  /// How much of the first chunk is written.
  std::size_t begin_ = 0;
  std::size_t length_ = 0;
  /// The memory of a chunk that was written, for the next one.
  std::vector<std::uint8_t> spare_;
};

}  // namespace vinery

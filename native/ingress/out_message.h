#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace vinery {

/// A message on its way to a client, with gRPC's prefix: bytes of its own, and pieces of leased regions between them.
/// Shared by the stream and by what waits for the socket; with the last of them the regions are no longer read, and
/// `sent` is called on the I/O thread.
class OutMessage {
 public:
  struct Piece {
    const std::uint8_t* data = nullptr;
    std::size_t length = 0;
  };

  explicit OutMessage(std::vector<std::uint8_t> bytes) : bytes_(std::move(bytes)) {}
  OutMessage(const OutMessage&) = delete;
  OutMessage& operator=(const OutMessage&) = delete;
  OutMessage(OutMessage&&) = delete;
  OutMessage& operator=(OutMessage&&) = delete;
  ~OutMessage() {
    if (sent_) sent_();
  }

  /// `length` bytes of its own from `begin` on are the next piece.
  void AddOwn(std::size_t begin, std::size_t length) {
    if (length > 0) Add({bytes_.data() + begin, length});
  }
  void Add(const Piece& piece) {
    pieces_.push_back(piece);
    length_ += piece.length;
  }
  /// Called before what was given earlier.
  void AlsoOnSent(std::function<void()> sent) {
    if (!sent_) {
      sent_ = std::move(sent);
      return;
    }
    sent_ = [first = std::move(sent), then = std::move(sent_)] {
      first();
      then();
    };
  }

  const std::vector<Piece>& pieces() const { return pieces_; }
  std::size_t length() const { return length_; }

 private:
  std::vector<std::uint8_t> bytes_;
  std::vector<Piece> pieces_;
  std::size_t length_ = 0;
  std::function<void()> sent_;
};

}  // namespace vinery

#include "ingress/out_queue.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <utility>

namespace vinery {
namespace {

constexpr std::size_t kVectors = 64;
/// Pieces up to this size are cheaper to copy than to refer to.
constexpr std::size_t kWorthReferring = 2048;
constexpr std::size_t kGatheredAtMost = 64UL * 1024;

}  // namespace

void OutQueue::Append(const std::uint8_t* bytes, std::size_t length) {
  const bool fits = !chunks_.empty() && chunks_.back().message == nullptr &&
                    chunks_.back().gathered.size() + length <= kGatheredAtMost;
  if (!fits) {
    chunks_.emplace_back();
    chunks_.back().gathered = std::exchange(spare_, {});
  }
  auto& gathered = chunks_.back().gathered;
  gathered.insert(gathered.end(), bytes, bytes + length);
  length_ += length;
}

void OutQueue::Append(const OutMessage::Piece& piece, const std::shared_ptr<OutMessage>& message) {
  if (piece.length <= kWorthReferring) return Append(piece.data, piece.length);
  chunks_.push_back({{}, piece, message});
  length_ += piece.length;
}

OutQueue::Result OutQueue::Flush(int socket) {
  while (!chunks_.empty()) {
    std::array<iovec, kVectors> vectors{};
    std::size_t count = 0;
    for (auto chunk = chunks_.begin(); chunk != chunks_.end() && count < kVectors; ++chunk, ++count) {
      const std::size_t skipped = count == 0 ? begin_ : 0;
      // The system only reads, but its type does not say so.
      vectors.at(count) = {const_cast<std::uint8_t*>(DataOf(*chunk)) + skipped, LengthOf(*chunk) - skipped};
    }
    msghdr header{};
    header.msg_iov = vectors.data();
    header.msg_iovlen = count;
    const ssize_t written = ::sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? Result::kBlocked : Result::kBroken;
    Drop(static_cast<std::size_t>(written));
  }
  return Result::kEmpty;
}

void OutQueue::Drop(std::size_t count) {
  length_ -= count;
  begin_ += count;
  while (!chunks_.empty() && begin_ >= LengthOf(chunks_.front())) {
    Chunk& first = chunks_.front();
    begin_ -= LengthOf(first);
    if (first.message == nullptr && first.gathered.capacity() > spare_.capacity()) {
      first.gathered.clear();
      spare_ = std::move(first.gathered);
    }
    chunks_.pop_front();
  }
}

}  // namespace vinery

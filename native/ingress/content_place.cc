#include "ingress/content_place.h"

namespace vinery {
namespace {

constexpr std::uint32_t kVarint = 0;
constexpr std::uint32_t kFixed64 = 1;
constexpr std::uint32_t kBytes = 2;
constexpr std::uint32_t kFixed32 = 5;
constexpr unsigned kVarintBits = 64;

/// Walks the fields of a message and of those submessages that lie on the path.
class Walk {
 public:
  Walk(const std::uint8_t* message, std::size_t available, std::uint64_t whole, const ContentPath& path)
      : message_(message), available_(available), path_(path), ends_{whole} {}

  std::optional<std::uint64_t> Run(bool& undecided) {
    while (!ends_.empty() && !broken_) {
      if (at_ >= ends_.back()) {
        ends_.pop_back();
      } else if (!Field()) {
        break;
      }
    }
    undecided = short_ && !found_.has_value();
    return found_;
  }

 private:
  bool Varint(std::uint64_t& value) {
    value = 0;
    for (unsigned shift = 0; shift < kVarintBits; shift += 7) {
      if (at_ >= available_) return Short();
      const std::uint8_t byte = message_[at_++];
      value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
      if (byte < 0x80) return true;
    }
    return Broken();
  }

  /// False when the walk cannot go on.
  bool Field() {
    std::uint64_t tag = 0;
    if (!Varint(tag)) return false;
    const auto wire = static_cast<std::uint32_t>(tag & 7U);
    if (wire == kBytes) return LengthDelimited(tag >> 3U);
    std::uint64_t ignored = 0;
    if (wire == kVarint) return Varint(ignored);
    if (wire == kFixed64) return Skip(8);
    return wire == kFixed32 ? Skip(4) : Broken();
  }

  bool LengthDelimited(std::uint64_t field) {
    std::uint64_t length = 0;
    if (!Varint(length)) return false;
    if (at_ > ends_.back() || length > ends_.back() - at_) return Broken();
    const std::size_t depth = ends_.size() - 1;
    if (depth >= path_.size() || field != path_[depth]) return Skip(length);
    if (depth + 1 < path_.size()) {
      ends_.push_back(at_ + length);
      return true;
    }
    if (length > largest_) {
      largest_ = length;
      found_ = at_;
    }
    return Skip(length);
  }

  bool Skip(std::uint64_t length) {
    if (at_ > ends_.back() || length > ends_.back() - at_) return Broken();
    at_ += length;
    return true;
  }

  bool Short() {
    short_ = true;
    return false;
  }

  bool Broken() {
    broken_ = true;
    return false;
  }

  const std::uint8_t* message_;
  std::uint64_t available_;
  const ContentPath& path_;
  /// Where the message and each submessage around `at_` end.
  std::vector<std::uint64_t> ends_;
  std::uint64_t at_ = 0;
  std::uint64_t largest_ = 0;
  std::optional<std::uint64_t> found_;
  bool short_ = false;
  bool broken_ = false;
};

}  // namespace

std::optional<std::uint64_t> FindContent(const std::uint8_t* message, std::size_t available, std::uint64_t whole,
                                         const ContentPath& path, bool& undecided) {
  undecided = false;
  if (path.empty()) return std::nullopt;
  return Walk(message, available, whole, path).Run(undecided);
}

}  // namespace vinery

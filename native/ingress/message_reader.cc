#include "ingress/message_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace vinery {
namespace {

constexpr std::uint64_t kAlignment = 64;
/// An envelope that is longer than this is not waited for: the message is placed as it comes.
constexpr std::size_t kLongestEnvelope = 16384;

/// Where a message has to begin in a region so that byte `content` of it is aligned; regions themselves are.
std::uint64_t StartFor(std::uint64_t content) { return (kAlignment - content % kAlignment) % kAlignment; }

}  // namespace

std::size_t MessageReader::Append(const std::uint8_t* data, std::size_t length) {
  Input input{data, length};
  if (kept() == 0) {
    const std::size_t taken = Consume(input);
    kept_.assign(input.data, input.data + input.length);
    kept_begin_ = 0;
    return taken;
  }
  kept_.insert(kept_.end(), data, data + length);
  return RunKept();
}

std::size_t MessageReader::Give(const Region& region) {
  message_.region = region;
  state_ = State::kPlace;
  return RunKept();
}

std::size_t MessageReader::Continue() {
  if (state_ == State::kPaused) state_ = State::kPrefix;
  return RunKept();
}

Region MessageReader::Abandon() {
  state_ = State::kRefused;
  return std::exchange(message_.region, Region{});
}

Destination MessageReader::destination() const {
  if (state_ != State::kFill || kept() > 0) return {};
  return {message_.region.base + message_.start + filled_, static_cast<std::size_t>(message_.length - filled_)};
}

std::size_t MessageReader::RunKept() {
  Input input{kept_.data() + kept_begin_, kept_.size() - kept_begin_};
  const std::size_t taken = Consume(input);
  kept_begin_ += taken;
  if (kept() == 0) {
    // A stream that has waited once need not hold what it waited with.
    std::vector<std::uint8_t>().swap(kept_);
    kept_begin_ = 0;
  }
  return taken;
}

std::size_t MessageReader::Consume(Input& input) {
  const std::size_t before = input.length;
  while (Step(input)) {
  }
  return before - input.length;
}

/// False when nothing more can be done with the input.
bool MessageReader::Step(Input& input) {
  switch (state_) {
    case State::kPrefix:
      return input.length > 0 && ReadPrefix(input);
    case State::kPlace:
      return Place(input);
    case State::kFill:
      return Fill(input);
    case State::kRefused:
      // Nobody wants the rest: it is taken and dropped.
      input.data += input.length;
      input.length = 0;
      return false;
    case State::kAwaitRegion:
    case State::kPaused:
      return false;
  }
  return false;
}

bool MessageReader::ReadPrefix(Input& input) {
  const std::size_t count = std::min(input.length, prefix_.size() - prefix_length_);
  std::copy_n(input.data, count, prefix_.begin() + static_cast<std::ptrdiff_t>(prefix_length_));
  prefix_length_ += count;
  input.data += count;
  input.length -= count;
  return prefix_length_ < prefix_.size() || BeginMessage();
}

bool MessageReader::BeginMessage() {
  prefix_length_ = 0;
  message_ = {};
  filled_ = 0;
  for (std::size_t index = 1; index < prefix_.size(); ++index) {
    message_.length = message_.length << 8U | prefix_.at(index);
  }
  message_.compressed = prefix_[0] == 1;
  if (single_ && std::exchange(had_message_, true)) return Refuse(Refusal::kTooManyMessages, 0);
  if (prefix_[0] > 1) return Refuse(Refusal::kBrokenMessage, prefix_[0]);
  if (message_.length > limit_) return Refuse(Refusal::kMessageTooLarge, message_.length);
  if (message_.length == 0) return Finish();
  message_.region = host_.TakeRegion(message_.length + kAlignment);
  state_ = message_.region.is_there() ? State::kPlace : State::kAwaitRegion;
  return true;
}

/// Decides where in the region the message begins, once enough of it is there.
bool MessageReader::Place(Input& input) {
  const std::size_t available = std::min<std::uint64_t>(input.length, message_.length);
  if (available == 0) return false;
  bool undecided = false;
  const auto content =
      message_.compressed ? std::nullopt : FindContent(input.data, available, message_.length, path_, undecided);
  if (undecided && available < message_.length && available < kLongestEnvelope) return false;
  message_.start = content.has_value() ? StartFor(*content) : 0;
  state_ = State::kFill;
  return true;
}

bool MessageReader::Fill(Input& input) {
  const std::size_t count = std::min<std::uint64_t>(input.length, message_.length - filled_);
  std::uint8_t* place = message_.region.base + message_.start + filled_;
  if (input.data != place) std::memcpy(place, input.data, count);
  filled_ += count;
  input.data += count;
  input.length -= count;
  return filled_ == message_.length && Finish();
}

bool MessageReader::Finish() {
  state_ = State::kPrefix;
  const ReceivedMessage message = std::exchange(message_, ReceivedMessage{});
  const bool goes_on = host_.OnMessage(message);
  if (!goes_on && state_ == State::kPrefix) state_ = State::kPaused;
  return true;
}

bool MessageReader::Refuse(Refusal reason, std::uint64_t number) {
  state_ = State::kRefused;
  host_.OnRefusal(reason, number);
  return true;
}

}  // namespace vinery

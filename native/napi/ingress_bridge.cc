#include "napi/ingress_bridge.h"

#include <algorithm>
#include <utility>

namespace vinery {

IngressBridge::IngressBridge(Napi::Env env, IngressSettings settings, const Napi::Float64Array& records,
                             std::function<void()> tell)
    : records_(Napi::Persistent(records)), tell_(std::move(tell)), shares_loop_(settings.shares_loop) {
  ingress_ = std::make_unique<Ingress>(std::move(settings), [this] { Wake(); });
  if (shares_loop_) poll_ = std::make_unique<LoopPoll>(env, ingress_->descriptor(), [this] { TakeTurn(); });
}

void IngressBridge::Close() {
  poll_.reset();
  ingress_.reset();
}

void IngressBridge::Wake() {
  if (shares_loop_) {
    has_news_ = true;
  } else {
    tell_();
  }
}

/// What JavaScript answers at once is sent in the turn that brought the request, and nobody is woken for it.
void IngressBridge::TakeTurn() {
  const std::shared_ptr<IngressBridge> self = shared_from_this();
  bool had_news = false;
  ingress_->Turn();
  do {
    ingress_->CarryOn();
    if (std::exchange(has_news_, false)) {
      had_news = true;
      tell_();
    }
    if (ingress_ == nullptr) return;
  } while (has_news_ || !ingress_->MayRest());
  if (had_news) poll_->StayAwake();
}

std::uint32_t IngressBridge::TakeEvents() {
  if (next_ == taken_.size()) {
    ingress_->event_queue().TakeAll(taken_);
    next_ = 0;
  }
  Napi::Float64Array records = records_.Value();
  double* record = records.Data();
  const std::size_t count = std::min(records.ElementLength() / kIngressEventStride, taken_.size() - next_);
  written_ = next_;
  for (const std::size_t end = next_ + count; next_ < end; ++next_, record += kIngressEventStride) {
    const IngressEvent& event = taken_[next_];
    record[0] = static_cast<double>(event.kind);
    record[1] = static_cast<double>(event.call);
    std::copy(event.numbers.begin(), event.numbers.end(), record + 2);
  }
  return static_cast<std::uint32_t>(count);
}

EventTexts IngressBridge::TextsOf(std::uint32_t index) const {
  const std::size_t place = written_ + index;
  if (place >= next_ || taken_[place].texts == nullptr) return {};
  return *taken_[place].texts;
}

void IngressBridge::Give(std::uint64_t call, const Region& region) {
  const auto place = static_cast<std::size_t>(region.number);
  if (place >= regions_.size()) regions_.resize(place + 1);
  regions_[place] = region;
  IngressCommand command(IngressCommand::Kind::kGive);
  command.call = call;
  command.region = region;
  static_cast<void>(ingress_->commands().Push(std::move(command)));
}

void IngressBridge::Send(std::uint64_t call, std::shared_ptr<OutMessage> message, bool last, bool notify,
                         std::int32_t region) {
  IngressCommand command(IngressCommand::Kind::kSend);
  command.call = call;
  command.message = std::move(message);
  command.last = last;
  command.notify = notify;
  command.region = Returned(region);
  static_cast<void>(ingress_->commands().Push(std::move(command)));
}

void IngressBridge::Finish(IngressCommand command, std::int32_t region) {
  command.region = Returned(region);
  static_cast<void>(ingress_->commands().Push(std::move(command)));
}

void IngressBridge::Continue(std::uint64_t call) {
  IngressCommand command(IngressCommand::Kind::kContinue);
  command.call = call;
  static_cast<void>(ingress_->commands().Push(std::move(command)));
}

void IngressBridge::Drain() {
  static_cast<void>(ingress_->commands().Push(IngressCommand(IngressCommand::Kind::kDrain)));
}

Region IngressBridge::Returned(std::int32_t number) const {
  return number < 0 ? Region{} : regions_.at(static_cast<std::size_t>(number));
}

}  // namespace vinery

#include "ingress/grpc_stream.h"

#include <algorithm>
#include <utility>

#include "ingress/grpc_text.h"

namespace vinery {
namespace {

/// How far beyond their limit headers are decoded, so that the client can be told.
constexpr std::size_t kHopelessHeaders = 16;
/// Bytes a second that a message which holds memory must bring.
constexpr double kSlowestMessage = 16 * 1024;

constexpr int kMethodNotAllowed = 405;
constexpr int kUnsupportedMediaType = 415;

}  // namespace

GrpcStream::~GrpcStream() {
  ConnectionHost& host = carrier_.host();
  if (reader_.has_value()) {
    carrier_.CountKept(-static_cast<std::ptrdiff_t>(reader_->kept()));
    DropRegion(reader_->Abandon());
    NoteFilling();
  }
  if (received_.has_value()) DropRegion(received_->region);
  if (deadline_.has_value()) host.ClearDeadline(call_, *deadline_);
  if (call_ == 0) return;
  if (is_handed_ && !is_finished_) host.events()->Push({EventKind::kCancelled, call_, {}, nullptr});
  host.RemoveStream(call_, is_handed_);
}

bool GrpcStream::AddHeader(std::string_view name, std::string_view value) {
  // Trailers of a request say nothing.
  if (call_ != 0) return true;
  const std::size_t limit = carrier_.host().limits().header_bytes;
  head_.Add(name, value, limit);
  return head_.size() <= limit * kHopelessHeaders;
}

int GrpcStream::EndHeaders() {
  if (call_ != 0) return 0;
  ConnectionHost& host = carrier_.host();
  const bool complete = head_.size() <= host.limits().header_bytes;
  if (complete && head_.method() != "POST") return kMethodNotAllowed;
  if (complete && !IsGrpcContentType(head_.content_type())) return kUnsupportedMediaType;
  call_ = host.AddCall(*this, carrier_.number());
  method_ = host.FindMethod(head_.path());
  if (!complete) {
    Refuse(Refusal::kHeadersTooLarge, static_cast<double>(head_.size()));
  } else if (method_ < 0) {
    Refuse(Refusal::kUnknownMethod);
  } else if (head_.encoding() == RequestHead::Encoding::kUnknown) {
    Refuse(Refusal::kUnknownEncoding);
  } else if (StartDeadline()) {
    OpenMethod();
  }
  return 0;
}

bool GrpcStream::StartDeadline() {
  if (!head_.has_timeout()) return true;
  const auto timeout = head_.timeout();
  if (!timeout.has_value()) {
    Refuse(Refusal::kInvalidTimeout);
    return false;
  }
  ConnectionHost& host = carrier_.host();
  const Clock::time_point deadline = host.now() + *timeout;
  deadline_ = deadline;
  host.SetDeadline(call_, deadline);
  return true;
}

void GrpcStream::OpenMethod() {
  const ConnectionHost& host = carrier_.host();
  const IngressMethod& method = host.methods()[static_cast<std::size_t>(method_)];
  reader_.emplace(static_cast<MessageReaderHost&>(*this), method.content, host.limits().message_bytes,
                  !method.streaming);
  if (!method.streaming) return;
  const double flags = head_.metadata().empty() ? 0 : kFlagTexts;
  Emit({EventKind::kOpened, call_, {static_cast<double>(method_), 0, 0, 0, flags}, Texts()});
}

void GrpcStream::Receive(const std::uint8_t* data, std::size_t length) {
  if (!reader_.has_value()) return carrier_.ConsumeOf(id_, length);
  const auto before = static_cast<std::ptrdiff_t>(reader_->kept());
  const std::size_t taken = reader_->Append(data, length);
  carrier_.CountKept(static_cast<std::ptrdiff_t>(reader_->kept()) - before);
  NoteFilling();
  if (taken == 0) return;
  if (IsWhole()) return carrier_.ConsumeLast(taken);
  carrier_.ConsumeOf(id_, taken);
}

/// The only message of the request is there, and a client that sends another one still has room to be told that it must
/// not.
bool GrpcStream::IsWhole() const {
  constexpr std::uint64_t kQuarters = 4;
  return received_.has_value() && received_->length <= carrier_.host().limits().h2.stream_window / kQuarters * 3;
}

void GrpcStream::EndRequest() {
  ended_ = true;
  CheckEnd();
}

void GrpcStream::GiveRegion(const Region& region) {
  if (!reader_.has_value() || !reader_->awaits_region()) return DropRegion(region);
  Consumed(reader_->Give(region));
}

void GrpcStream::Continue() {
  if (reader_.has_value()) Consumed(reader_->Continue());
}

void GrpcStream::NoteFilling() {
  if (!reader_.has_value() || reader_->is_filling() == is_filling_) return;
  is_filling_ = !is_filling_;
  since_ = carrier_.host().now();
  seen_filled_ = 0;
  carrier_.CountFilling(is_filling_ ? 1 : -1);
}

/// Kept bytes were taken.
void GrpcStream::Consumed(std::size_t length) {
  NoteFilling();
  if (length > 0) {
    carrier_.CountKept(-static_cast<std::ptrdiff_t>(length));
    carrier_.ConsumeOf(id_, length);
  }
  CheckEnd();
}

void GrpcStream::CheckEnd() {
  if (!ended_ || end_told_ || is_refused_ || !reader_.has_value() || !reader_->is_drained()) return;
  if (!reader_->is_idle()) return Refuse(Refusal::kBrokenMessage);
  end_told_ = true;
  if (is_known_) {
    Emit({EventKind::kHalfClosed, call_, {}, nullptr});
  } else if (!received_.has_value()) {
    Refuse(Refusal::kNoMessage);
  } else {
    carrier_.HandOverSoon(*this);
  }
}

void GrpcStream::HandOver() {
  if (deadline_.has_value() && *deadline_ <= Clock::now()) Refuse(Refusal::kDeadline);
  const auto message = std::exchange(received_, std::nullopt);
  if (!is_refused_ && message.has_value()) EmitMessage(EventKind::kRequest, *message);
}

void GrpcStream::DeadlinePassed() {
  deadline_.reset();
  Refuse(Refusal::kDeadline);
  // What was kept for want of a region is dropped.
  Continue();
}

bool GrpcStream::IsStalled(std::chrono::milliseconds patience) {
  const std::chrono::duration<double> passed = carrier_.host().now() - since_;
  if (!is_filling_ || !reader_.has_value() || passed < patience) return false;
  const auto come = static_cast<double>(reader_->filled() - seen_filled_);
  if (come < passed.count() * kSlowestMessage) return true;
  since_ = carrier_.host().now();
  seen_filled_ = reader_->filled();
  return false;
}

void GrpcStream::GiveUpStalled() {
  Refuse(Refusal::kStalled, reader_.has_value() ? static_cast<double>(reader_->filled()) : 0);
  Continue();
}

Region GrpcStream::TakeRegion(std::uint64_t size) {
  since_ = carrier_.host().now();
  return carrier_.host().TakeRegion(call_, size);
}

bool GrpcStream::OnMessage(const ReceivedMessage& message) {
  if (message.compressed && head_.encoding() == RequestHead::Encoding::kIdentity) {
    DropRegion(message.region);
    Refuse(Refusal::kBrokenMessage, 1);
    return false;
  }
  if (!is_known_) {
    received_ = message;
    return true;
  }
  EmitMessage(EventKind::kMessage, message);
  // The next one when this one was taken.
  return false;
}

void GrpcStream::OnRefusal(Refusal reason, std::uint64_t number) { Refuse(reason, static_cast<double>(number)); }

/// JavaScript answers, with the text for it; whatever else is received is dropped.
void GrpcStream::Refuse(Refusal reason, double number) {
  if (is_refused_ || is_finished_) return;
  is_refused_ = true;
  if (reader_.has_value()) DropRegion(reader_->Abandon());
  const auto message = std::exchange(received_, std::nullopt);
  if (message.has_value()) DropRegion(message->region);
  const double flags = is_handed_ ? 0 : kFlagTexts;
  Emit(
      {EventKind::kRefused, call_, {static_cast<double>(reason), number, 0, 0, flags}, is_handed_ ? nullptr : Texts()});
}

void GrpcStream::EmitMessage(EventKind kind, const ReceivedMessage& message) {
  Emit({kind,
        call_,
        {static_cast<double>(method_), static_cast<double>(message.region.number), static_cast<double>(message.start),
         static_cast<double>(message.length), FlagsOf(message)},
        kind == EventKind::kRequest && !head_.metadata().empty() ? Texts() : nullptr});
}

void GrpcStream::Emit(IngressEvent event) {
  const bool opens =
      event.kind == EventKind::kRequest || event.kind == EventKind::kOpened || event.kind == EventKind::kRefused;
  is_known_ = is_known_ || event.kind == EventKind::kOpened;
  if (opens && !is_handed_) {
    is_handed_ = true;
    carrier_.Handed(*this);
  }
  carrier_.host().events()->Push(std::move(event));
}

double GrpcStream::FlagsOf(const ReceivedMessage& message) const {
  unsigned flags = head_.metadata().empty() ? 0 : kFlagTexts;
  if (message.compressed) {
    flags |= head_.encoding() == RequestHead::Encoding::kGzip ? kFlagGzip : 0;
    flags |= head_.encoding() == RequestHead::Encoding::kDeflate ? kFlagDeflate : 0;
  }
  return static_cast<double>(flags);
}

/// The path, the encoding, then the metadata.
std::shared_ptr<const EventTexts> GrpcStream::Texts() const {
  auto texts = std::make_shared<EventTexts>();
  texts->reserve(2 + head_.metadata().size());
  texts->push_back(head_.path());
  texts->push_back(head_.encoding_text());
  texts->insert(texts->end(), head_.metadata().begin(), head_.metadata().end());
  return texts;
}

void GrpcStream::DropRegion(const Region& region) {
  if (region.is_there()) carrier_.host().DropRegion(region);
}

bool GrpcStream::AddMessage(std::shared_ptr<OutMessage> message) {
  unsent_ += message->length();
  answers_.push_back(std::move(message));
  return !std::exchange(headers_sent_, true);
}

bool GrpcStream::Finish(std::uint32_t code, const std::string& text, const std::vector<std::string>& metadata) {
  is_finished_ = true;
  const auto deadline = std::exchange(deadline_, std::nullopt);
  if (deadline.has_value()) carrier_.host().ClearDeadline(call_, *deadline);
  trailer_texts_ = metadata;
  trailer_texts_.push_back(std::to_string(code));
  trailer_texts_.push_back(PercentEncoded(text));
  trailers_.emplace_back("grpc-status", trailer_texts_[metadata.size()]);
  if (!text.empty()) trailers_.emplace_back("grpc-message", trailer_texts_.back());
  for (std::size_t index = 0; index + 1 < metadata.size(); index += 2) {
    trailers_.emplace_back(trailer_texts_[index], trailer_texts_[index + 1]);
  }
  return !std::exchange(headers_sent_, true);
}

std::size_t GrpcStream::BodyBytes(std::size_t limit, bool& ends) const {
  const std::size_t count = std::min(limit, unsent_);
  ends = is_finished_ && count == unsent_;
  return count;
}

}  // namespace vinery

#include "ingress/connection.h"

#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <utility>

#include "ingress/nghttp2_functions.h"

namespace vinery {
namespace {

/// Reads of one connection before the others have their turn.
constexpr int kReadsATurn = 4;
/// A read while too much is kept without a region, or when what follows may be received where it belongs.
constexpr std::size_t kSmallRead = 16UL * 1024;
/// So many bytes of a message, and more, are received where they belong: a system call more costs less than copying
/// them.
constexpr std::size_t kLargeRest = 32UL * 1024;
/// The windows of the streams of a client that sends more messages than there are regions for.
constexpr std::uint32_t kNarrowWindow = 64U * 1024;

std::string PeerOf(int socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::getpeername(socket, generic, &length) != 0 ||
      ::getnameinfo(generic, length, host.data(), host.size(), port.data(), port.size(),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "a client that is gone";
  }
  return std::string(host.data()) + ":" + port.data();
}

/// From -1 to 1, by the number of a connection.
double SpreadOf(std::uint64_t number) {
  constexpr std::uint64_t kGoldenRatio = 0x9E3779B97F4A7C15;
  constexpr double kHalf = 9223372036854775808.0;
  return static_cast<double>(number * kGoldenRatio) / kHalf - 1;
}

const HeaderList& GrpcHeaders() {
  static const HeaderList headers = {
      {":status", "200"}, {"content-type", "application/grpc"}, {"grpc-accept-encoding", "identity,deflate,gzip"}};
  return headers;
}

}  // namespace

Connection::Connection(ConnectionHost& host, Descriptor socket, std::uint64_t number)
    : host_(host),
      socket_(std::move(socket)),
      number_(number),
      session_(static_cast<H2Handler&>(*this), host.limits().h2),
      life_(host.limits().life, host.now(), SpreadOf(number)) {
  const int on = 1;
  static_cast<void>(::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)));
}

Connection::~Connection() { streams_.clear(); }

bool Connection::Read(std::vector<std::uint8_t>& buffer) {
  if (leaving_) return Discard(buffer);
  const bool at_end = ReadRequests(buffer);
  // What the client has cancelled in the same breath is gone by now.
  if (!over_ && !leaving_) HandOverParked();
  return at_end;
}

bool Connection::ReadRequests(std::vector<std::uint8_t>& buffer) {
  for (int turn = 0; turn < kReadsATurn && !over_ && !leaving_; ++turn) {
    const bool sparing = filling_ == 0 && host_.KeepsTooMuch();
    paused_ = sparing && kept_ > 0;
    if (paused_) return false;
    const Destination place = NextPlace();
    const std::size_t space = std::min({buffer.size(), sparing ? kSmallRead : buffer.size(), head_bytes_});
    std::array<iovec, 2> parts = {iovec{place.data, place.length}, iovec{buffer.data(), space}};
    // A part of no bytes is left out.
    const bool direct = place.length > 0;
    const ssize_t count = ::readv(socket_.get(), parts.data() + (direct ? 0 : 1), direct ? 2 : 1);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
    if (count <= 0) {
      Close();
      return false;
    }
    const auto length = static_cast<std::size_t>(count);
    const std::size_t placed = std::min(length, place.length);
    if (placed > 0) Receive(place.data, placed);
    if (length > placed && !over_ && !leaving_) Receive(buffer.data(), length - placed);
    if (direct) head_bytes_ = kSmallRead;
    if (!direct && length == head_bytes_ && NextPlace().length == 0) head_bytes_ = kUnlimitedHead;
    if (direct && placed == place.length && !IsFilling(frame_stream_)) return true;
    if (length < place.length + space) return false;
  }
  return false;
}

/// What a client says after the server's last word. Bytes that are left unread when a socket is closed make the system
/// reset the connection, and the client would lose what it has not read yet.
bool Connection::Discard(std::vector<std::uint8_t>& buffer) {
  for (int turn = 0; turn < kReadsATurn; ++turn) {
    const ssize_t count = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
    if (count <= 0) {
      Close();
      return false;
    }
    life_.Heard(host_.now());
  }
  return false;
}

bool Connection::IsFilling(std::int32_t stream) {
  const GrpcStream* found = Find(stream);
  return found != nullptr && found->destination().length > 0;
}

/// Where the coming bytes belong when they are many and of one message.
Destination Connection::NextPlace() {
  if (frame_left_ < kLargeRest) return {};
  const GrpcStream* stream = Find(frame_stream_);
  if (stream == nullptr) return {};
  Destination place = stream->destination();
  place.length = std::min(place.length, frame_left_);
  return place.length < kLargeRest ? Destination{} : place;
}

void Connection::Receive(const std::uint8_t* bytes, std::size_t length) {
  life_.Heard(host_.now());
  const int fault = session_.Receive(bytes, length);
  if (fault != 0) Fail(fault);
}

/// The session is of no use any more.
void Connection::Fail(int fault) {
  if (fault == nghttp2::kFlooded || fault == nghttp2::kCallbackFailure) {
    Notice("sent too many control frames or too long headers");
    // The session would not write it any more: length 8, GOAWAY, stream 0; last stream 0, the code.
    constexpr std::array<std::uint8_t, 17> kGoaway = {
        0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, nghttp2::kEnhanceYourCalm};
    out_.Append(kGoaway.data(), kGoaway.size());
  } else {
    Notice(fault == nghttp2::kBadClientMagic ? "speaks no HTTP/2" : std::string("failed: ") + nghttp2_strerror(fault));
  }
  parked_.clear();
  streams_.clear();
  Leave(host_.limits().life.quiet);
}

/// Ends the server's side once everything is written, and the connection once the client has closed its own: it has
/// read everything then (RFC 9112, 9.6, for a connection of any protocol).
void Connection::Leave(LifeLimits::Milliseconds at_most) {
  if (leaving_) return;
  leaving_ = true;
  hurries_ = true;
  paused_ = false;
  life_.Leaving(host_.now(), at_most);
  static_cast<void>(WriteOut());
}

/// @returns whether all is written.
bool Connection::WriteOut() {
  const std::size_t before = out_.length();
  const OutQueue::Result result = out_.Flush(socket_.get());
  if (out_.length() < before) life_.Moved(host_.now());
  blocked_ = result == OutQueue::Result::kBlocked;
  if (result == OutQueue::Result::kBroken) Close();
  if (result != OutQueue::Result::kEmpty) return false;
  if (leaving_ && !std::exchange(half_closed_, true) && ::shutdown(socket_.get(), SHUT_WR) != 0) Close();
  return true;
}

void Connection::HungUp() {
  if (paused_) Close();
}

void Connection::Break(const char* reason) noexcept {
  Close();
  try {
    Notice(std::string("is closed: ") + reason);
  } catch (const std::bad_alloc&) {
    // Without memory there is no line in the log either.
    return;
  }
}

void Connection::Notice(const std::string& words) {
  auto texts = std::make_shared<EventTexts>(EventTexts{PeerOf(socket_.get()), words});
  host_.events()->Push({EventKind::kNotice, 0, {}, std::move(texts)});
}

void Connection::Flush() {
  if (over_) return;
  if (leaving_) return static_cast<void>(WriteOut());
  if (narrow_ && kept_ == 0) WidenAgain();
  HandOverParked();
  while (!over_) {
    const int fault = session_.Send();
    if (fault != 0) return Fail(fault);
    const bool had_something = out_.length() > 0;
    if (!WriteOut()) return;
    HandOverParked();
    if (!had_something || !session_.WantsWrite()) break;
  }
  if (over_) return;
  const bool drained = ended_ && streams_.empty();
  if (!drained && (session_.WantsRead() || session_.WantsWrite())) return;
  // A client that has said nothing has nothing to read.
  if (!life_.has_said_something()) return Close();
  Leave(host_.limits().life.unfinished);
}

void Connection::Pay(std::size_t length) {
  const std::size_t paid = std::min(length, debt_);
  debt_ -= paid;
  if (paid > 0) session_.ConsumeConnection(paid);
}

/// A message that has its region must come to its end, so whatever else the client sends meanwhile is paid for, too. It
/// is kept, and the windows of single streams are all that limits it: they are made small first.
void Connection::PayWhileFilling() {
  const IngressLimits& limits = host_.limits();
  const bool much = kept_ > static_cast<std::ptrdiff_t>(limits.h2.connection_window) || host_.KeepsTooMuch();
  if (much && !narrow_ && kNarrowWindow < limits.h2.stream_window) {
    narrow_ = true;
    ++unheard_settings_;
    session_.SetStreamWindow(kNarrowWindow);
  }
  if (!much || unheard_settings_ == 0) Pay(debt_);
}

void Connection::WidenAgain() {
  if (over_ || host_.KeepsTooMuch()) return;
  narrow_ = false;
  ++unheard_settings_;
  session_.SetStreamWindow(host_.limits().h2.stream_window);
}

void Connection::ConsumeOf(std::int32_t stream, std::size_t length) {
  session_.ConsumeStream(stream, length);
  Pay(length);
}

/// A message that has its region must be able to come to its end, whatever else of this client waits: others may wait
/// for the memory that it will free.
void Connection::CountFilling(int change) {
  filling_ += change;
  // The last one may end with its stream, when nothing may be asked of the session.
  if (filling_ == 0 || change < 0) return;
  paused_ = false;
  PayWhileFilling();
}

void Connection::CountKept(std::ptrdiff_t change) {
  kept_ += change;
  host_.CountKept(change);
}

GrpcStream* Connection::Find(std::int32_t stream) {
  const auto found = streams_.find(stream);
  return found == streams_.end() ? nullptr : found->second.get();
}

void Connection::Send(GrpcStream& stream, std::shared_ptr<OutMessage> message) {
  *unsent_ += message->length();
  host_.NoteAnswer(stream.method(), message->length());
  message->AlsoOnSent([unsent = unsent_, length = message->length()] { *unsent -= length; });
  if (stream.AddMessage(std::move(message))) {
    session_.Respond(stream.id(), GrpcHeaders());
  } else {
    session_.Resume(stream.id());
  }
}

void Connection::Finish(GrpcStream& stream, std::uint32_t code, const std::string& text,
                        const std::vector<std::string>& metadata) {
  if (!stream.Finish(code, text, metadata)) return session_.Resume(stream.id());
  HeaderList headers = GrpcHeaders();
  headers.insert(headers.end(), stream.trailers().begin(), stream.trailers().end());
  session_.RespondWithHeaders(stream.id(), headers);
}

void Connection::Handed(const GrpcStream& stream) {
  const std::size_t expected = host_.ExpectedAnswer(stream.method());
  ++handed_;
  expected_ += expected;
  host_.CallHanded(stream.call(), expected);
}

void Connection::CallFinished(std::size_t expected) {
  --handed_;
  expected_ -= expected;
  HandOverParked();
}

bool Connection::HasRoomFor(const GrpcStream& stream) const {
  if (handed_ >= host_.limits().handed_calls) return false;
  const std::size_t bytes = *unsent_ + expected_;
  return bytes == 0 || bytes + host_.ExpectedAnswer(stream.method()) <= host_.limits().unsent_bytes;
}

void Connection::HandOverSoon(const GrpcStream& stream) { parked_.push_back(stream.id()); }

void Connection::HandOverParked() {
  while (!parked_.empty()) {
    GrpcStream* stream = Find(parked_.front());
    if (stream != nullptr && !HasRoomFor(*stream)) return;
    parked_.pop_front();
    if (stream != nullptr) stream->HandOver();
  }
}

void Connection::Drain() {
  if (life_.is_retiring() || leaving_) return;
  life_.Retiring(host_.now());
  session_.AnnounceEnd();
}

void Connection::Stop() {
  life_.Stopping(host_.now());
  had_calls_ = had_calls_ || !streams_.empty() || out_.length() > 0;
  hurries_ = true;
  Drain();
}

void Connection::EndNewStreams() {
  if (ended_) return;
  ended_ = true;
  life_.NewStreamsEnded();
  session_.End(nghttp2::kNoError);
}

/// A client that has had answers may take its time to read them.
ConnectionLife::Awaited Connection::Awaited() const {
  using Awaited = ConnectionLife::Awaited;
  if (leaving_) return had_calls_ || unacknowledged_ > 0 ? Awaited::kReading : Awaited::kNothing;
  bool unfinished = false;
  for (const auto& [id, stream] : streams_) {
    if (stream->is_with_server()) return Awaited::kServer;
    unfinished = unfinished || !stream->is_answered();
  }
  if (*unsent_ > 0 || out_.length() > 0 || !parked_.empty()) return Awaited::kReading;
  return unfinished ? Awaited::kRequest : Awaited::kNothing;
}

/// What the system has written and the client has not acknowledged becomes less: that is all that is seen of a slow
/// reader.
void Connection::NoteUnacknowledged() {
  int bytes = 0;
  if (::ioctl(socket_.get(), SIOCOUTQ, &bytes) != 0) return;
  if (bytes != std::exchange(unacknowledged_, bytes)) life_.Moved(host_.now());
}

/// Tells the client that none of it was worked on, so that it may try elsewhere (RFC 9113, 8.7).
void Connection::DropUnfinished() {
  for (const auto& [id, stream] : streams_) {
    if (!stream->is_answered() && !stream->is_with_server()) session_.Reset(id, nghttp2::kRefusedStream);
  }
}

Clock::time_point Connection::Tend() {
  while (!over_) {
    const bool watched = life_.is_watched();
    if (watched) NoteUnacknowledged();
    const ConnectionLife::Look look = life_.At(host_.now(), watched ? Awaited() : ConnectionLife::Awaited::kServer);
    if (look.step == ConnectionLife::Step::kNone) return look.next;
    Take(look.step);
    // What was dropped goes when that is written.
    if (look.step == ConnectionLife::Step::kDropUnfinished) return host_.now() + host_.limits().life.quiet;
  }
  return host_.now();
}

void Connection::Take(ConnectionLife::Step step) {
  switch (step) {
    case ConnectionLife::Step::kNone:
      return;
    case ConnectionLife::Step::kPing:
      return session_.Ping(PingKind::kKeepalive);
    case ConnectionLife::Step::kRetire:
      return Drain();
    case ConnectionLife::Step::kEndNewStreams:
      // Its time begins when the client can have heard of it.
      return blocked_ ? life_.Retiring(host_.now()) : EndNewStreams();
    case ConnectionLife::Step::kDropUnfinished:
      return DropUnfinished();
    case ConnectionLife::Step::kSilent:
      return GiveUp("was silent for too long");
    case ConnectionLife::Step::kGraceOver:
      return GiveUp("had calls for longer than grpc.max_connection_age_grace_ms");
    case ConnectionLife::Step::kStalled:
      // What the system has it goes on sending.
      return half_closed_ ? Close() : GiveUp("has not read its answers for too long while the server stops");
    case ConnectionLife::Step::kGone:
      return Close();
  }
}

void Connection::GiveUp(const char* words) {
  Notice(words);
  Close();
}

void Connection::OnRequest(std::int32_t stream) {
  if (streams_.count(stream) != 0) return;
  streams_.emplace(stream, std::make_unique<GrpcStream>(static_cast<StreamCarrier&>(*this), stream));
  if (streams_.size() > 1) return;
  life_.SetBusy(true, host_.now());
  had_calls_ = life_.is_watched();
}

bool Connection::OnHeader(std::int32_t stream, std::string_view name, std::string_view value) {
  GrpcStream* found = Find(stream);
  return found == nullptr || found->AddHeader(name, value);
}

void Connection::OnHeadersEnd(std::int32_t stream) {
  GrpcStream* found = Find(stream);
  if (found == nullptr) return;
  const int status = found->EndHeaders();
  if (status != 0) AnswerHttp(*found, status);
}

/// Browsers and probes get an answer that they can show.
void Connection::AnswerHttp(GrpcStream& stream, int status) {
  const std::string text = status == 405 ? "This is a gRPC port: expected the method POST.\n"
                                         : "This is a gRPC port: expected the content type application/grpc.\n";
  auto message = std::make_shared<OutMessage>(std::vector<std::uint8_t>(text.begin(), text.end()));
  message->AddOwn(0, text.size());
  const std::string code = std::to_string(status);
  HeaderList headers = {{":status", code}, {"content-type", "text/plain; charset=utf-8"}};
  if (status == 405) headers.emplace_back("allow", "POST");
  static_cast<void>(stream.AddMessage(std::move(message)));
  static_cast<void>(stream.Finish(0, {}, {}));
  session_.RespondWithoutTrailers(stream.id(), headers);
}

void Connection::OnDataFrame(std::int32_t stream, std::size_t length) {
  frame_stream_ = stream;
  frame_left_ = length;
}

void Connection::OnData(std::int32_t stream, const std::uint8_t* data, std::size_t length) {
  GrpcStream* found = Find(stream);
  frame_left_ -= std::min(frame_left_, length);
  debt_ += length;
  if (found == nullptr) return Pay(length);
  found->Receive(data, length);
  if (filling_ > 0) PayWhileFilling();
}

void Connection::OnRequestEnd(std::int32_t stream) {
  if (GrpcStream* found = Find(stream)) found->EndRequest();
}

/// What the client still has to say is of no interest.
void Connection::OnAnswerEnd(std::int32_t stream) {
  const GrpcStream* found = Find(stream);
  if (found != nullptr && !found->is_request_over()) session_.Reset(stream, nghttp2::kNoError);
}

void Connection::OnStreamClose(std::int32_t stream) {
  const auto found = streams_.find(stream);
  if (found == streams_.end()) return;
  const std::size_t unconsumed = found->second->unconsumed();
  streams_.erase(found);
  if (streams_.empty()) life_.SetBusy(false, host_.now());
  Pay(unconsumed);
}

bool Connection::OnControlFrame() { return budget_.Spend(host_.now()); }

void Connection::OnPingAck(PingKind kind) {
  if (kind == PingKind::kGoawayRead) EndNewStreams();
}

/// The ping that is answered once the client has read the GOAWAY; nghttp2 would send it first if both were due.
void Connection::OnGoawaySent() {
  if (!life_.is_retiring() || ended_) return;
  life_.Retiring(host_.now());
  session_.Ping(PingKind::kGoawayRead);
}

void Connection::OnSettingsAck() {
  unheard_settings_ = std::max(0, unheard_settings_ - 1);
  if (filling_ > 0) PayWhileFilling();
}

std::size_t Connection::BodyBytes(std::int32_t stream, std::size_t limit, bool& ends) {
  const GrpcStream* found = Find(stream);
  ends = found == nullptr;
  return found == nullptr ? 0 : found->BodyBytes(limit, ends);
}

const HeaderList& Connection::Trailers(std::int32_t stream) {
  static const HeaderList none;
  const GrpcStream* found = Find(stream);
  return found == nullptr ? none : found->trailers();
}

bool Connection::Write(const std::uint8_t* bytes, std::size_t length) {
  if (out_.is_full()) return false;
  out_.Append(bytes, length);
  return true;
}

bool Connection::WriteBody(std::int32_t stream, const std::uint8_t* frame_head, std::size_t length) {
  if (out_.is_full()) return false;
  constexpr std::size_t kFrameHead = 9;
  out_.Append(frame_head, kFrameHead);
  GrpcStream* found = Find(stream);
  if (found == nullptr) return true;
  found->TakeBody(length, [this](const OutMessage::Piece& piece, const std::shared_ptr<OutMessage>& message) {
    out_.Append(piece, message);
  });
  return true;
}

}  // namespace vinery

#include "ingress/ingress.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <system_error>
#include <utility>

#include "core/process_wide.h"

namespace vinery {
namespace {

constexpr std::size_t kBufferBytes = 256UL * 1024;
constexpr std::size_t kEventsATurn = 64;
/// After a large message.
constexpr int kTurnsOneByOne = 32;
constexpr int kAcceptsATurn = 16;
constexpr std::size_t kCallsOfUnknownAnswer = 64;
/// Keys of what is waited for: numbers of connections are below.
constexpr std::uint64_t kCommandsKey = ~0ULL;
constexpr std::uint64_t kAlarmKey = kCommandsKey - 1;
constexpr std::uint64_t kListenerKeys = 1ULL << 63U;
/// Before accepting again when the process has no descriptor left.
constexpr std::chrono::milliseconds kDescriptorPatience{100};

/// The same number for all descriptors of one socket.
std::uint64_t SocketNumber(int descriptor) {
  struct stat status{};
  return ::fstat(descriptor, &status) == 0 ? status.st_ino : 0;
}

}  // namespace

Ingress::Ingress(IngressSettings settings, std::function<void()> wake)
    : settings_(std::move(settings)),
      events_(std::make_shared<EventQueue>(std::move(wake))),
      seat_(std::make_shared<DealerSeat>()),
      dealer_(ProcessWide<ConnectionDealer>()),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      alarm_(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)),
      stock_(settings_.limits.stock_bytes),
      buffer_(kBufferBytes) {
  if (epoll_.get() < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  if (alarm_.get() < 0) throw std::system_error(errno, std::generic_category(), "timerfd_create");
  for (std::size_t index = 0; index < settings_.methods.size(); ++index) {
    method_of_path_.emplace(settings_.methods[index].path, static_cast<std::int32_t>(index));
  }
  // Until the first answer of a method so few calls of a connection run that nothing can come of it.
  answer_bytes_.assign(settings_.methods.size(), settings_.limits.unsent_bytes / kCallsOfUnknownAnswer);
  // Edges of these two are enough: nobody reads them.
  bool watched = Watch(seat_->commands.descriptor(), kCommandsKey, EPOLLIN | EPOLLET, EPOLL_CTL_ADD) &&
                 Watch(alarm_.get(), kAlarmKey, EPOLLIN | EPOLLET, EPOLL_CTL_ADD);
  for (std::size_t index = 0; index < settings_.listeners.size(); ++index) {
    watched = watched &&
              Watch(settings_.listeners[index].get(), kListenerKeys + index, EPOLLIN | EPOLLEXCLUSIVE, EPOLL_CTL_ADD);
  }
  if (!watched) throw std::system_error(errno, std::generic_category(), "epoll_ctl");
  if (!settings_.listeners.empty()) {
    group_ = SocketNumber(settings_.listeners.front().get());
    dealer_->Join(group_, seat_);
    joined_ = true;
  }
  if (!settings_.shares_loop) thread_ = std::thread([this] { Run(); });
}

Ingress::~Ingress() {
  events_->Close();
  if (thread_.joinable()) {
    static_cast<void>(seat_->commands.Push(IngressCommand(IngressCommand::Kind::kStop)));
    thread_.join();
  }
  LeaveDealer();
  seat_->commands.Close();
  connections_.clear();
}

/// The one place where what is thrown on this thread ends: it costs the connection it was thrown for, and no other.
template <typename Work>
void Ingress::Guard(std::uint64_t connection, const Work& work) {
  try {
    work();
  } catch (const std::exception& error) {
    Break(connection, error.what());
  }
}

void Ingress::Break(std::uint64_t connection, const char* reason) noexcept {
  Connection* broken = FindConnection(connection);
  if (broken == nullptr) return;
  broken->Break(reason);
  has_broken_ = true;
}

void Ingress::Run() {
  static_cast<void>(::pthread_setname_np(::pthread_self(), "vinery-grpc"));
  while (!stopped_) {
    Wait(MayRest() ? -1 : 0);
    CarryOn();
  }
}

void Ingress::CarryOn() {
  now_ = Clock::now();
  HandleCommands();
  HandleTimers();
  FlushDirty();
  if (draining_ && connections_.empty()) {
    draining_ = false;
    events_->Push({EventKind::kDrained, 0, {}, nullptr});
  }
}

bool Ingress::MayRest() {
  SetAlarm();
  return seat_->commands.MaySleep();
}

/// Timers are cleared far more often than they become due, so an alarm that is too early stays as it is.
void Ingress::SetAlarm() {
  const Clock::time_point first = timers_.First();
  if (alarm_at_ <= now_) alarm_at_ = Clock::time_point::max();
  if (first >= alarm_at_) return;
  alarm_at_ = first;
  // Nought would switch it off.
  const auto left = std::max<std::chrono::nanoseconds>(first.time_since_epoch(), std::chrono::nanoseconds(1));
  constexpr auto kNanoseconds = std::nano::den;
  itimerspec setting{};
  setting.it_value.tv_sec = left.count() / kNanoseconds;
  setting.it_value.tv_nsec = left.count() % kNanoseconds;
  static_cast<void>(::timerfd_settime(alarm_.get(), TFD_TIMER_ABSTIME, &setting, nullptr));
}

void Ingress::Wait(int timeout) {
  std::array<epoll_event, kEventsATurn> events{};
  // One at a time where a large message is worked on before the next one is received: both want the caches. The system
  // gives the others in turn.
  const bool one_by_one = one_by_one_ > 0 && settings_.shares_loop;
  if (one_by_one) --one_by_one_;
  const int most = one_by_one ? 1 : static_cast<int>(events.size());
  const int count = ::epoll_wait(epoll_.get(), events.data(), most, timeout);
  now_ = Clock::now();
  for (int index = 0; index < count; ++index) {
    const epoll_event& event = events.at(static_cast<std::size_t>(index));
    HandleEvent(event.data.u64, event.events);
  }
}

void Ingress::HandleEvent(std::uint64_t key, std::uint32_t what) {
  // Commands are taken and timers looked at in every turn.
  if (key >= kAlarmKey) return;
  if (key >= kListenerKeys) {
    const std::size_t index = key - kListenerKeys;
    // A drain may have closed it within this turn.
    if (index < settings_.listeners.size()) static_cast<void>(Accept(settings_.listeners[index].get()));
    return;
  }
  Guard(key, [&] {
    Connection* connection = Touch(key);
    if (connection == nullptr) return;
    if ((what & (EPOLLERR | EPOLLHUP)) != 0) connection->HungUp();
    const bool is_readable = (what & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0;
    if (is_readable && connection->Read(buffer_)) one_by_one_ = kTurnsOneByOne;
  });
}

void Ingress::HandleTimers() {
  TimerQueue::Timer due{};
  while (timers_.TakeDue(now_, due)) {
    const bool of_call = due.kind == TimerQueue::Kind::kCall;
    const bool of_connection = due.kind == TimerQueue::Kind::kConnection;
    const std::uint64_t connection = of_connection ? due.number : 0;
    Guard(of_call ? ConnectionOf(due.number) : connection, [&] { HandleTimer(due); });
  }
}

void Ingress::HandleTimer(const TimerQueue::Timer& due) {
  switch (due.kind) {
    case TimerQueue::Kind::kCall: {
      GrpcStream* stream = TouchStream(due.number);
      if (stream != nullptr) stream->DeadlinePassed();
      return;
    }
    case TimerQueue::Kind::kConnection: {
      Connection* connection = Touch(due.number);
      if (connection != nullptr) Tend(due.number, *connection);
      return;
    }
    case TimerQueue::Kind::kAccept:
      return ResumeAccepting(due.number);
    case TimerQueue::Kind::kStarving:
      return FeedTheStarving();
  }
}

void Ingress::Tend(std::uint64_t number, Connection& connection) {
  timers_.Clear({connection.look_at, TimerQueue::Kind::kConnection, number});
  connection.look_at = connection.Tend();
  // One that is over is closed behind this.
  if (!connection.is_over()) timers_.Set({connection.look_at, TimerQueue::Kind::kConnection, number});
}

/// What is due of a connection has changed; the next timer finds out.
void Ingress::LookSoon(std::uint64_t number, Connection& connection) {
  timers_.Clear({connection.look_at, TimerQueue::Kind::kConnection, number});
  connection.look_at = now_;
  timers_.Set({connection.look_at, TimerQueue::Kind::kConnection, number});
}

/// Gives up what clients that have stopped sending hold while others wait for it.
void Ingress::FeedTheStarving() {
  const auto patience = settings_.limits.stall_patience;
  is_starving_ = false;
  bool have_waited = false;
  for (const auto& [number, call] : calls_) {
    if (call.stream == nullptr || !call.stream->awaits_region()) continue;
    is_starving_ = true;
    have_waited = have_waited || call.stream->awaits_since() + patience <= now_;
  }
  if (is_starving_) timers_.Set({now_ + patience / 2, TimerQueue::Kind::kStarving, 0});
  if (!have_waited) return;
  // Giving one up only changes that call, and forgets it only when JavaScript has answered.
  for (const auto& [number, call] : calls_) {
    if (call.stream == nullptr || !call.stream->IsStalled(patience)) continue;
    Guard(call.connection, [this, &call = call] {
      static_cast<void>(Touch(call.connection));
      call.stream->GiveUpStalled();
    });
  }
}

void Ingress::HandleCommands() {
  seat_->commands.TakeAll(taken_);
  for (IngressCommand& command : taken_) {
    // Of a call that is forgotten behind this.
    const std::uint64_t connection = ConnectionOf(command.call);
    Guard(connection, [&] { Execute(command); });
  }
  // What they own goes now, and not with the next turn.
  taken_.clear();
}

std::uint64_t Ingress::ConnectionOf(std::uint64_t call) const {
  const auto found = calls_.find(call);
  return found == calls_.end() ? 0 : found->second.connection;
}

void Ingress::Execute(IngressCommand& command) {
  switch (command.kind) {
    case IngressCommand::Kind::kSend:
      return Send(command);
    case IngressCommand::Kind::kFinish:
      return Finish(command);
    case IngressCommand::Kind::kContinue:
      return Continue(command.call);
    case IngressCommand::Kind::kGive:
      return Give(command);
    case IngressCommand::Kind::kAdopt:
      return Adopt(std::move(command.socket));
    case IngressCommand::Kind::kDrain:
      return Drain();
    case IngressCommand::Kind::kStop:
      stopped_ = true;
      return;
  }
}

void Ingress::Continue(std::uint64_t call) {
  if (GrpcStream* stream = TouchStream(call)) stream->Continue();
}

void Ingress::Send(IngressCommand& command) {
  KeepRegion(command.region);
  const bool last = command.last;
  if (command.notify) {
    command.message->AlsoOnSent(
        [events = events_, call = command.call] { events->Push({EventKind::kSent, call, {}, nullptr}); });
  }
  const auto found = calls_.find(command.call);
  Guard(found == calls_.end() ? 0 : found->second.connection, [&] {
    Connection* connection = found == calls_.end() ? nullptr : Touch(found->second.connection);
    GrpcStream* stream = connection == nullptr ? nullptr : found->second.stream;
    if (stream == nullptr) return;
    connection->Send(*stream, std::move(command.message));
    if (last) connection->Finish(*stream, 0, {}, {});
  });
  if (last) Settle(command.call);
}

void Ingress::Finish(const IngressCommand& command) {
  KeepRegion(command.region);
  const auto found = calls_.find(command.call);
  if (found == calls_.end()) return;
  Guard(found->second.connection, [&] {
    Connection* connection = Touch(found->second.connection);
    if (connection != nullptr && found->second.stream != nullptr) {
      connection->Finish(*found->second.stream, command.code, command.text, command.metadata);
    }
  });
  Settle(command.call);
}

/// JavaScript is through with a call.
void Ingress::Settle(std::uint64_t call) {
  const auto found = calls_.find(call);
  if (found == calls_.end()) return;
  const Call settled = found->second;
  calls_.erase(found);
  if (Connection* connection = FindConnection(settled.connection)) connection->CallFinished(settled.expected);
}

void Ingress::Give(const IngressCommand& command) {
  GrpcStream* stream = TouchStream(command.call);
  if (stream != nullptr) return stream->GiveRegion(command.region);
  return command.call == 0 ? KeepRegion(command.region) : DropRegion(command.region);
}

/// @returns whether more clients may be waiting.
bool Ingress::Accept(int listener) {
  for (int turn = 0; turn < kAcceptsATurn; ++turn) {
    Descriptor socket(::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket.get() < 0) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) PauseAccepting();
      // A client that has left again is no reason to stop.
      if (errno == ECONNABORTED || errno == EINTR) continue;
      return false;
    }
    is_out_of_descriptors_ = false;
    DealOut(std::move(socket));
  }
  return true;
}

void Ingress::DealOut(Descriptor socket) {
  // The thread it is dealt to may end just then; its connections end with it.
  const std::shared_ptr<DealerSeat> seat = dealer_->Deal(group_);
  if (seat == nullptr) return;
  if (seat == seat_) return Adopt(std::move(socket));
  try {
    IngressCommand command(IngressCommand::Kind::kAdopt);
    command.socket = std::move(socket);
    static_cast<void>(seat->commands.Push(std::move(command)));
  } catch (const std::bad_alloc&) {
    --seat->connections;
  }
}

/// Else the thread would find the same client waiting again and again.
void Ingress::PauseAccepting() {
  for (std::size_t index = 0; index < settings_.listeners.size(); ++index) {
    static_cast<void>(Watch(settings_.listeners[index].get(), kListenerKeys + index, 0, EPOLL_CTL_DEL));
    timers_.Set({now_ + kDescriptorPatience, TimerQueue::Kind::kAccept, index});
  }
  if (std::exchange(is_out_of_descriptors_, true)) return;
  events_->Push(
      {EventKind::kNotice,
       0,
       {},
       std::make_shared<EventTexts>(EventTexts{"a new client", "must wait: the process has no descriptor left"})});
}

void Ingress::ResumeAccepting(std::size_t index) {
  // A drain may have closed it.
  if (index >= settings_.listeners.size()) return;
  const int listener = settings_.listeners[index].get();
  if (Watch(listener, kListenerKeys + index, EPOLLIN | EPOLLEXCLUSIVE, EPOLL_CTL_ADD) || errno == EEXIST) return;
  timers_.Set({now_ + kDescriptorPatience, TimerQueue::Kind::kAccept, index});
}

void Ingress::Adopt(Descriptor socket) {
  if (!joined_ && !draining_) {
    --seat_->connections;
    return;
  }
  const std::uint64_t number = ++last_number_;
  const int descriptor = socket.get();
  try {
    auto connection = std::make_unique<Connection>(static_cast<ConnectionHost&>(*this), std::move(socket), number);
    connection->watched = EPOLLIN;
    connections_.emplace(number, std::move(connection));
  } catch (const std::bad_alloc&) {
    --seat_->connections;
    return;
  }
  Guard(number, [&] {
    if (!Watch(descriptor, number, EPOLLIN, EPOLL_CTL_ADD)) throw std::system_error(errno, std::generic_category());
    Connection& connection = *Touch(number);
    // Another thread has dealt it out while this one began to stop.
    if (draining_) connection.Stop();
    Tend(number, connection);
  });
}

/// Clients that the system has connected already are let in first: closing the listener would reset them.
void Ingress::Drain() {
  for (const Descriptor& listener : settings_.listeners) {
    while (Accept(listener.get())) continue;
  }
  LeaveDealer();
  settings_.listeners.clear();
  draining_ = true;
  for (const auto& [number, connection] : connections_) {
    Guard(number, [this, number = number, &connection = *connection] {
      dirty_.insert(number);
      connection.Stop();
    });
  }
}

void Ingress::LeaveDealer() {
  if (joined_) dealer_->Leave(group_, seat_);
  joined_ = false;
}

void Ingress::FlushDirty() {
  if (!paused_.empty() && !KeepsTooMuch()) ReadPausedAgain();
  // A flush may hand parked requests over, but touches no other connection.
  for (const std::uint64_t number : dirty_) {
    Connection* connection = FindConnection(number);
    if (connection == nullptr) continue;
    Guard(number, [&] {
      connection->Flush();
      if (connection->is_over()) return;
      Rewatch(number, *connection);
      if (connection->TakeHurry()) LookSoon(number, *connection);
    });
    if (connection->is_over()) Close(number);
  }
  dirty_.clear();
  if (std::exchange(has_broken_, false)) CloseBroken();
}

/// Needs no memory, other than noting which they are.
void Ingress::CloseBroken() {
  for (auto each = connections_.begin(); each != connections_.end();) {
    const std::uint64_t number = each->first;
    const bool over = each->second->is_over();
    ++each;
    if (over) Close(number);
  }
}

void Ingress::Rewatch(std::uint64_t number, Connection& connection) {
  if (!connection.wants_read()) paused_.insert(number);
  const std::uint32_t wanted = (connection.wants_read() ? static_cast<std::uint32_t>(EPOLLIN) : 0U) |
                               (connection.wants_write() ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
  if (std::exchange(connection.watched, wanted) == wanted) return;
  if (!Watch(connection.socket(), number, wanted, EPOLL_CTL_MOD)) {
    throw std::system_error(errno, std::generic_category());
  }
}

void Ingress::ReadPausedAgain() {
  for (const std::uint64_t number : paused_) {
    if (Connection* connection = Touch(number)) connection->ReadAgain();
  }
  paused_.clear();
}

void Ingress::Close(std::uint64_t number) {
  const auto found = connections_.find(number);
  if (found == connections_.end()) return;
  timers_.Clear({found->second->look_at, TimerQueue::Kind::kConnection, number});
  connections_.erase(found);
  --seat_->connections;
}

bool Ingress::Watch(int descriptor, std::uint64_t key, std::uint32_t what, int operation) {
  epoll_event event{};
  event.events = what;
  event.data.u64 = key;
  return ::epoll_ctl(epoll_.get(), operation, descriptor, &event) == 0;
}

Connection* Ingress::FindConnection(std::uint64_t number) {
  const auto found = connections_.find(number);
  return found == connections_.end() ? nullptr : found->second.get();
}

/// As `FindConnection`, for something that may leave it with bytes to write.
Connection* Ingress::Touch(std::uint64_t number) {
  Connection* connection = FindConnection(number);
  if (connection != nullptr) dirty_.insert(number);
  return connection;
}

/// The stream of a call, on a connection that may have bytes to write afterwards; null once it has gone.
GrpcStream* Ingress::TouchStream(std::uint64_t call) {
  const auto found = calls_.find(call);
  if (found == calls_.end() || found->second.stream == nullptr) return nullptr;
  static_cast<void>(Touch(found->second.connection));
  return found->second.stream;
}

std::int32_t Ingress::FindMethod(const std::string& path) const {
  const auto found = method_of_path_.find(path);
  return found == method_of_path_.end() ? -1 : found->second;
}

std::uint64_t Ingress::AddCall(GrpcStream& stream, std::uint64_t connection) {
  const std::uint64_t call = ++last_number_;
  calls_.emplace(call, Call{&stream, connection, 0});
  return call;
}

void Ingress::RemoveStream(std::uint64_t call, bool handed) {
  const auto found = calls_.find(call);
  if (found == calls_.end()) return;
  if (handed) {
    found->second.stream = nullptr;
  } else {
    calls_.erase(found);
  }
}

std::size_t Ingress::ExpectedAnswer(std::int32_t method) const {
  return method < 0 ? 0 : answer_bytes_[static_cast<std::size_t>(method)];
}

void Ingress::CallHanded(std::uint64_t call, std::size_t expected) {
  const auto found = calls_.find(call);
  if (found != calls_.end()) found->second.expected = expected;
}

void Ingress::NoteAnswer(std::int32_t method, std::size_t length) {
  if (method < 0) return;
  std::size_t& bytes = answer_bytes_[static_cast<std::size_t>(method)];
  // Large ones are believed at once, small ones after a while.
  bytes = std::max(length, bytes - bytes / 8 + length / 8);
}

void Ingress::SetDeadline(std::uint64_t call, Clock::time_point when) {
  timers_.Set({when, TimerQueue::Kind::kCall, call});
}

void Ingress::ClearDeadline(std::uint64_t call, Clock::time_point when) {
  timers_.Clear({when, TimerQueue::Kind::kCall, call});
}

Region Ingress::TakeRegion(std::uint64_t call, std::uint64_t size) {
  const Region region = stock_.Take(size);
  if (!region.is_there()) {
    events_->Push({EventKind::kRegionWanted, call, {static_cast<double>(size)}, nullptr});
    if (!std::exchange(is_starving_, true)) {
      timers_.Set({now_ + settings_.limits.stall_patience, TimerQueue::Kind::kStarving, 0});
    }
  }
  return region;
}

void Ingress::DropRegion(const Region& region) {
  events_->Push({EventKind::kRegionDropped, 0, {static_cast<double>(region.number)}, nullptr});
  KeepRegion(region);
}

void Ingress::KeepRegion(const Region& region) {
  if (!region.is_there()) return;
  std::vector<Region> surplus;
  stock_.Put(region, surplus);
  for (const Region& each : surplus) {
    events_->Push({EventKind::kRegionReturned, 0, {static_cast<double>(each.number)}, nullptr});
  }
}

}  // namespace vinery

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/descriptor.h"
#include "ingress/connection.h"
#include "ingress/connection_dealer.h"
#include "ingress/connection_host.h"
#include "ingress/ingress_command.h"
#include "ingress/ingress_event.h"
#include "ingress/region_stock.h"
#include "ingress/timer_queue.h"

namespace vinery {

struct IngressSettings {
  /// Listening sockets to accept from; the ingress closes them.
  std::vector<Descriptor> listeners;
  std::vector<IngressMethod> methods;
  IngressLimits limits;
  /// No thread is started: the environment's own calls `Turn` whenever `descriptor` has something to read.
  bool shares_loop = false;
};

/// gRPC over HTTP/2 without TLS for one environment: an I/O thread that waits for its sockets, and two queues between
/// that thread and JavaScript. Requests arrive in regions that JavaScript has leased, answers are sent from where they
/// are.
///
/// The I/O thread is one of its own, which starts with the object, or the environment's: where cores are few, two
/// threads that wake each other cost more than they win. It has ended with the destructor, which closes every
/// connection at once; `kDrain` closes them in peace. Everything but the constructor, the destructor and the queues is
/// the I/O thread's.
class Ingress : private ConnectionHost {
 public:
  /// @param wake called on the I/O thread, which may be a thread of the ingress and must not be held up, when events
  /// are there after none were. Throws `std::system_error` when the system gives no descriptor or no thread.
  Ingress(IngressSettings settings, std::function<void()> wake);
  Ingress(const Ingress&) = delete;
  Ingress& operator=(const Ingress&) = delete;
  Ingress(Ingress&&) = delete;
  Ingress& operator=(Ingress&&) = delete;
  ~Ingress() override;

  CommandQueue& commands() const { return seat_->commands; }
  EventQueue& event_queue() const { return *events_; }

  /// Can be read when a turn is due.
  int descriptor() const { return epoll_.get(); }
  /// Takes what the sockets have, without waiting for more. `CarryOn` comes behind it.
  void Turn() { Wait(0); }
  /// Does what there is to do but for what comes from sockets: commands, timers, answers.
  void CarryOn();
  /// Nothing is left to do: until the next turn whoever pushes a command makes one due, and so does a timer. False when
  /// there are commands.
  bool MayRest();

 private:
  struct Call {
    /// Null once the stream has gone.
    GrpcStream* stream;
    std::uint64_t connection;
    /// Bytes that its answer is likely to have, once it is handed over.
    std::size_t expected;
  };

  // ConnectionHost
  const std::vector<IngressMethod>& methods() const override { return settings_.methods; }
  std::int32_t FindMethod(const std::string& path) const override;
  const IngressLimits& limits() const override { return settings_.limits; }
  Clock::time_point now() const override { return now_; }
  std::uint64_t AddCall(GrpcStream& stream, std::uint64_t connection) override;
  void RemoveStream(std::uint64_t call, bool handed) override;
  std::size_t ExpectedAnswer(std::int32_t method) const override;
  void CallHanded(std::uint64_t call, std::size_t expected) override;
  void NoteAnswer(std::int32_t method, std::size_t length) override;
  void SetDeadline(std::uint64_t call, Clock::time_point when) override;
  void ClearDeadline(std::uint64_t call, Clock::time_point when) override;
  const std::shared_ptr<EventQueue>& events() const override { return events_; }
  Region TakeRegion(std::uint64_t call, std::uint64_t size) override;
  void DropRegion(const Region& region) override;
  void CountKept(std::ptrdiff_t change) override { kept_ += change; }
  bool KeepsTooMuch() const override { return kept_ > static_cast<std::ptrdiff_t>(settings_.limits.kept_bytes); }

  void Run();
  template <typename Work>
  void Guard(std::uint64_t connection, const Work& work);
  void Break(std::uint64_t connection, const char* reason) noexcept;
  void Wait(int timeout);
  void SetAlarm();
  void HandleEvent(std::uint64_t key, std::uint32_t what);
  void HandleTimers();
  void HandleTimer(const TimerQueue::Timer& due);
  void HandleCommands();
  void Execute(IngressCommand& command);
  std::uint64_t ConnectionOf(std::uint64_t call) const;
  void Send(IngressCommand& command);
  void Finish(const IngressCommand& command);
  void Settle(std::uint64_t call);
  void Give(const IngressCommand& command);
  void Continue(std::uint64_t call);
  void KeepRegion(const Region& region);
  bool Accept(int listener);
  void DealOut(Descriptor socket);
  void PauseAccepting();
  void ResumeAccepting(std::size_t index);
  void Adopt(Descriptor socket);
  void Drain();
  void LeaveDealer();
  void FlushDirty();
  void Rewatch(std::uint64_t number, Connection& connection);
  void Close(std::uint64_t number);
  void CloseBroken();
  void Tend(std::uint64_t number, Connection& connection);
  void LookSoon(std::uint64_t number, Connection& connection);
  void ReadPausedAgain();
  void FeedTheStarving();
  bool Watch(int descriptor, std::uint64_t key, std::uint32_t what, int operation);
  Connection* FindConnection(std::uint64_t number);
  Connection* Touch(std::uint64_t number);
  GrpcStream* TouchStream(std::uint64_t call);

  IngressSettings settings_;
  const std::shared_ptr<EventQueue> events_;
  const std::shared_ptr<DealerSeat> seat_;
  const std::shared_ptr<ConnectionDealer> dealer_;
  std::uint64_t group_ = 0;
  Descriptor epoll_;
  Descriptor alarm_;
  std::unordered_map<std::string, std::int32_t> method_of_path_;
  /// By method: what its answers have been like.
  std::vector<std::size_t> answer_bytes_;

  Clock::time_point now_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::unordered_map<std::uint64_t, Call> calls_;
  std::unordered_set<std::uint64_t> dirty_;
  std::unordered_set<std::uint64_t> paused_;
  std::uint64_t last_number_ = 0;
  TimerQueue timers_;
  /// When the alarm goes off next; never when it is not set.
  Clock::time_point alarm_at_ = Clock::time_point::max();
  RegionStock stock_;
  std::ptrdiff_t kept_ = 0;
  std::vector<std::uint8_t> buffer_;
  std::vector<IngressCommand> taken_;
  bool joined_ = false;
  /// Turns to come that take one socket each, because large messages come.
  int one_by_one_ = 0;
  /// Some connection is broken and may not be known to be dirty.
  bool has_broken_ = false;
  /// Calls wait for regions, and a timer says when to look for those that hold them for nothing.
  bool is_starving_ = false;
  bool is_out_of_descriptors_ = false;
  bool draining_ = false;
  bool stopped_ = false;

  std::thread thread_;
};

}  // namespace vinery

#pragma once

#include <chrono>
#include <cstdint>

namespace vinery {

/// How long a connection may last, and how long it may be silent. Whatever is zero never comes.
struct LifeLimits {
  using Milliseconds = std::chrono::milliseconds;

  /// A client that has said nothing at all is closed after so long.
  Milliseconds handshake;
  /// One that is silent for so long is pinged, and closed when it stays so.
  Milliseconds keepalive_time;
  Milliseconds keepalive_timeout;
  /// One that has had no call for so long is asked to leave.
  Milliseconds max_idle;
  /// One that has lasted so long is asked to leave, ...
  Milliseconds max_age;
  /// ... and closed so long after it was asked, whatever calls it has.
  Milliseconds age_grace;

  /// A client that was asked to open no more calls has so long for those on their way.
  Milliseconds farewell;

  // While the ingress stops, and of a connection that the server has half-closed.
  /// A client without an answer to come, or with an unfinished request, may be silent for so long.
  Milliseconds quiet;
  /// A client may read nothing of its answers for so long.
  Milliseconds stalled;
  /// An unfinished request may take so long in all.
  Milliseconds unfinished;
};

/// The times of one connection, and what is due at which of them. Knows no socket.
class ConnectionLife {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// What a connection that is to end still waits for.
  enum class Awaited : std::uint8_t {
    /// The server, which works on a call.
    kServer,
    /// The client, which has answers to read.
    kReading,
    /// The client, which has not sent a request to its end.
    kRequest,
    /// Nothing of a call.
    kNothing,
  };

  enum class Step : std::uint8_t {
    kNone,
    kPing,
    kSilent,
    kRetire,
    kEndNewStreams,
    kGraceOver,
    kDropUnfinished,
    kStalled,
    kGone,
  };
  struct Look {
    Step step = Step::kNone;
    /// When to look again.
    Time next;
  };

  /// @param spread of the ages of many connections, from -1 to 1: those that came at once do not leave at once.
  ConnectionLife(const LifeLimits& limits, Time now, double spread);

  void Heard(Time now) {
    last_heard_ = now;
    moved_at_ = now;
    has_said_something_ = true;
    pinged_at_ = kNever;
  }
  bool has_said_something() const { return has_said_something_; }
  /// The client has taken bytes.
  void Moved(Time now) {
    moved_at_ = now;
    if (leaving_) leaves_at_ = now + leaving_at_most_;
  }
  /// The client has its first call, or has none any more.
  void SetBusy(bool busy, Time now);
  /// The client is asked to open no more calls; again when the words have left.
  void Retiring(Time now);
  bool is_retiring() const { return retiring_; }
  /// The client opens no more calls, or what it opens is ignored.
  void NewStreamsEnded() { new_streams_ended_ = true; }
  /// The whole ingress stops: what does not move has a limit from now on.
  void Stopping(Time now);
  /// The server has said everything, and waits for the client to read it and to close.
  /// @param at_most since bytes were taken last, whatever else the client says.
  void Leaving(Time now, LifeLimits::Milliseconds at_most);
  bool is_watched() const { return stopping_ || leaving_; }

  /// The first thing that is due now.
  Look At(Time now, Awaited awaited);

 private:
  static constexpr Time kNever = Time::max();

  Step DueOfSilence(Time now, Time& next);
  Step DueOfLife(Time now, Time& next) const;
  Step DueOfStop(Time now, Awaited awaited, Time& next);

  const LifeLimits& limits_;
  const Time began_;
  Time ends_ = kNever;
  Time last_heard_;
  /// When bytes went either way last, or the client could not help that none did.
  Time moved_at_;
  /// Since it was heard last.
  Time pinged_at_ = kNever;
  Time idle_since_;
  Time retiring_since_;
  Time stopping_since_;
  Time leaves_at_ = kNever;
  LifeLimits::Milliseconds leaving_at_most_{};
  bool has_said_something_ = false;
  bool busy_ = false;
  bool retiring_ = false;
  bool aged_ = false;
  bool new_streams_ended_ = false;
  bool stopping_ = false;
  bool leaving_ = false;
};

}  // namespace vinery

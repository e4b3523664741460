#pragma once

#include <chrono>

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
};

/// The times of one connection, and what is due at which of them. Knows no socket.
class ConnectionLife {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// How long a client that was asked to open no more calls has for those on their way.
  static constexpr std::chrono::milliseconds kDrainPatience{1000};

  enum class Step { kNone, kPing, kSilent, kRetire, kEndNewStreams, kGraceOver };
  struct Look {
    Step step = Step::kNone;
    /// When to look again.
    Time next;
  };

  /// @param spread of the ages of many connections, from -1 to 1: those that came at once do not leave at once.
  ConnectionLife(const LifeLimits& limits, Time now, double spread);

  void Heard(Time now) {
    last_heard_ = now;
    has_said_something_ = true;
    pinged_at_ = kNever;
  }
  bool has_said_something() const { return has_said_something_; }
  /// The client has its first call, or has none any more.
  void SetBusy(bool busy, Time now);
  /// The client was asked to open no more calls.
  void Retiring(Time now);
  bool is_retiring() const { return retiring_; }
  /// The client opens no more calls, or what it opens is ignored.
  void NewStreamsEnded() { new_streams_ended_ = true; }

  /// The first thing that is due now.
  Look At(Time now);

 private:
  static constexpr Time kNever = Time::max();

  Step DueOfSilence(Time now, Time& next);
  Step DueOfLife(Time now, Time& next) const;

  const LifeLimits& limits_;
  const Time began_;
  Time ends_ = kNever;
  Time last_heard_;
  /// Since it was heard last.
  Time pinged_at_ = kNever;
  Time idle_since_;
  Time retiring_since_;
  bool has_said_something_ = false;
  bool busy_ = false;
  bool retiring_ = false;
  bool aged_ = false;
  bool new_streams_ended_ = false;
};

}  // namespace vinery

#include "ingress/connection_life.h"

#include <algorithm>

namespace vinery {
namespace {

/// The part of its age by which a connection may last longer or shorter than others.
constexpr double kAgeSpread = 0.1;

}  // namespace

ConnectionLife::ConnectionLife(const LifeLimits& limits, Time now, double spread)
    : limits_(limits), began_(now), last_heard_(now), moved_at_(now), idle_since_(now) {
  if (limits.max_age.count() == 0) return;
  const auto age = static_cast<double>(limits.max_age.count()) * (1 + kAgeSpread * spread);
  ends_ = now + LifeLimits::Milliseconds(static_cast<LifeLimits::Milliseconds::rep>(age));
}

void ConnectionLife::SetBusy(bool busy, Time now) {
  busy_ = busy;
  idle_since_ = now;
}

void ConnectionLife::Retiring(Time now) {
  retiring_ = true;
  retiring_since_ = now;
}

void ConnectionLife::Stopping(Time now) {
  stopping_ = true;
  stopping_since_ = now;
  moved_at_ = now;
}

void ConnectionLife::Leaving(Time now, LifeLimits::Milliseconds at_most) {
  leaving_ = true;
  leaving_at_most_ = at_most;
  Moved(now);
}

ConnectionLife::Look ConnectionLife::At(Time now, Awaited awaited) {
  Time next = kNever;
  Step step = leaving_ ? Step::kNone : DueOfLife(now, next);
  if (step == Step::kNone && is_watched()) step = DueOfStop(now, awaited, next);
  if (step == Step::kNone && !leaving_) step = DueOfSilence(now, next);
  if (step == Step::kRetire) aged_ = now >= ends_;
  return {step, next};
}

ConnectionLife::Step ConnectionLife::DueOfStop(Time now, Awaited awaited, Time& next) {
  // What the client takes from the system is seen only when it is looked for.
  constexpr int kLooks = 4;
  next = std::min(next, now + std::max(limits_.quiet / kLooks, LifeLimits::Milliseconds(1)));
  if (awaited == Awaited::kServer) moved_at_ = now;
  if (now >= leaves_at_) return Step::kGone;
  const auto still = now - moved_at_;
  switch (awaited) {
    case Awaited::kServer:
      return Step::kNone;
    case Awaited::kReading:
      return still >= limits_.stalled ? Step::kStalled : Step::kNone;
    case Awaited::kRequest:
      return still >= limits_.quiet || now - stopping_since_ >= limits_.unfinished ? Step::kDropUnfinished
                                                                                   : Step::kNone;
    case Awaited::kNothing:
      return leaving_ && still >= limits_.quiet ? Step::kGone : Step::kNone;
  }
  return Step::kNone;
}

ConnectionLife::Step ConnectionLife::DueOfSilence(Time now, Time& next) {
  const bool pinged = pinged_at_ != kNever;
  // One that has never said anything cannot be asked.
  Time due = began_ + std::min(limits_.handshake, limits_.keepalive_time + limits_.keepalive_timeout);
  if (has_said_something_) due = pinged ? pinged_at_ + limits_.keepalive_timeout : last_heard_ + limits_.keepalive_time;
  if (now < due) {
    next = std::min(next, due);
    return Step::kNone;
  }
  if (pinged || !has_said_something_) return Step::kSilent;
  pinged_at_ = now;
  return Step::kPing;
}

ConnectionLife::Step ConnectionLife::DueOfLife(Time now, Time& next) const {
  Time due = ends_;
  Step step = Step::kRetire;
  if (retiring_) {
    due = kNever;
    if (!new_streams_ended_) {
      due = retiring_since_ + limits_.farewell;
      step = Step::kEndNewStreams;
    } else if (aged_ && limits_.age_grace.count() > 0) {
      due = retiring_since_ + limits_.age_grace;
      step = Step::kGraceOver;
    }
  } else if (limits_.max_idle.count() > 0 && !busy_) {
    due = std::min(due, idle_since_ + limits_.max_idle);
  } else if (limits_.max_idle.count() > 0) {
    // It may become idle at once after this.
    next = std::min(next, now + limits_.max_idle);
  }
  if (now >= due) return step;
  next = std::min(next, due);
  return Step::kNone;
}

}  // namespace vinery

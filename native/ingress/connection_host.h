#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "ingress/connection_life.h"
#include "ingress/content_place.h"
#include "ingress/h2_session.h"
#include "ingress/ingress_event.h"
#include "ingress/region.h"

namespace vinery {

using Clock = std::chrono::steady_clock;

class GrpcStream;

/// A method that JavaScript serves.
struct IngressMethod {
  std::string path;
  /// Messages are handed over one by one; otherwise one message is the whole request.
  bool streaming = false;
  /// Where requests have the bytes of their tensors; empty when they have none.
  ContentPath content;
};

struct IngressLimits {
  H2Settings h2;
  /// Of a request's headers, in bytes as HTTP/2 counts them.
  std::size_t header_bytes;
  /// Of a message.
  std::uint64_t message_bytes;
  /// Of what lies unsent for one connection, and is likely to come of the calls it has; beyond it no further request of
  /// it is handed over.
  std::size_t unsent_bytes;
  /// Calls of one connection that are handed over at a time.
  std::size_t handed_calls;
  /// Of what was received and has no region yet, of all connections; beyond it those that hold some are not read.
  std::size_t kept_bytes;
  /// Of regions that wait for messages.
  std::uint64_t stock_bytes;
  LifeLimits life;
  /// A message that holds memory others wait for must come on within this time.
  std::chrono::milliseconds stall_patience;
};

/// What connections and streams ask of the I/O thread they belong to. Used on that thread only.
class ConnectionHost {
 public:
  ConnectionHost() = default;
  ConnectionHost(const ConnectionHost&) = delete;
  ConnectionHost& operator=(const ConnectionHost&) = delete;
  ConnectionHost(ConnectionHost&&) = delete;
  ConnectionHost& operator=(ConnectionHost&&) = delete;
  virtual ~ConnectionHost() = default;

  virtual const std::vector<IngressMethod>& methods() const = 0;
  /// Index of a method; none is -1.
  virtual std::int32_t FindMethod(const std::string& path) const = 0;
  virtual const IngressLimits& limits() const = 0;
  /// The time of this turn of the thread.
  virtual Clock::time_point now() const = 0;

  /// A number for a call, by which JavaScript and timers name it.
  virtual std::uint64_t AddCall(GrpcStream& stream, std::uint64_t connection) = 0;
  /// The stream has gone; `handed` calls stay known until JavaScript has finished with them.
  virtual void RemoveStream(std::uint64_t call, bool handed) = 0;
  /// Bytes that an answer of the method is likely to have.
  virtual std::size_t ExpectedAnswer(std::int32_t method) const = 0;
  /// The call was handed to JavaScript, with an answer of so many bytes to be expected.
  virtual void CallHanded(std::uint64_t call, std::size_t expected) = 0;
  virtual void NoteAnswer(std::int32_t method, std::size_t length) = 0;
  virtual void SetDeadline(std::uint64_t call, Clock::time_point when) = 0;
  virtual void ClearDeadline(std::uint64_t call, Clock::time_point when) = 0;

  virtual const std::shared_ptr<EventQueue>& events() const = 0;
  virtual Region TakeRegion(std::uint64_t call, std::uint64_t size) = 0;
  /// A region that no message of which JavaScript knows is in.
  virtual void DropRegion(const Region& region) = 0;
  /// More, or fewer, bytes are kept without a region.
  virtual void CountKept(std::ptrdiff_t change) = 0;
  /// So much is kept that those who sent it must wait.
  virtual bool KeepsTooMuch() const = 0;
};

}  // namespace vinery

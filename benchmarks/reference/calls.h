#pragma once

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "measuring_window.h"

namespace reference {

/// Whom to ask, how, and with what.
struct Target {
  std::string address;
  std::string method;
  std::size_t connections = 1;
  std::vector<grpc::ByteBuffer> requests;
};

/// What came back.
struct Answers {
  /// Bytes of the first answer by request; empty for a request that was not asked or got none.
  std::vector<std::optional<std::string>> first;
  std::size_t failed = 0;
  /// Of the first call that failed; empty when none did.
  std::string first_failure;
};

/// Calls over a few connections, the requests in turn. A call that fails is counted and left out of the figures, and so
/// is an answer whose bytes are others than those of the first answer to the same request.
class Calls {
 public:
  /// Both must outlive the calls.
  Calls(const Target& target, MeasuringWindow& window);
  Calls(const Calls&) = delete;
  Calls& operator=(const Calls&) = delete;
  Calls(Calls&&) = delete;
  Calls& operator=(Calls&&) = delete;
  /// Cancels what has not ended.
  ~Calls();

  /// Keeps `count` calls in flight until the window has closed and the last call has ended. One thread.
  Answers closed_loop(std::size_t count);

  /// Sends `rate` calls a second, at times fixed beforehand, whatever the answers do; latencies count from these times,
  /// not from when a call could be sent. The times are kept by a thread of its own, since the timers of gRPC know whole
  /// milliseconds only.
  Answers open_loop(double rate);

 private:
  using Clock = MeasuringWindow::Clock;

  struct Call {
    std::optional<grpc::ClientContext> context;
    std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
    grpc::ByteBuffer response;
    grpc::Status status;
    std::size_t request = 0;
    /// When it was sent, or should have been.
    Clock::time_point began;
  };

  void start(Call& call, std::size_t number, Clock::time_point began);
  /// Waits for the end of a call. Throws std::runtime_error when none ends for two minutes.
  Call& take();
  void ended(Call& call);
  void fail(const std::string& reason);
  Call& free_call();

  const Target& target_;
  MeasuringWindow& window_;
  std::vector<std::unique_ptr<grpc::GenericStub>> stubs_;
  grpc::CompletionQueue queue_;
  Answers answers_;
  /// Guards the calls that are free.
  std::mutex mutex_;
  std::deque<Call> calls_;
  std::vector<Call*> free_;
};

}  // namespace reference

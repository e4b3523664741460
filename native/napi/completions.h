#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/completion_ring.h"
#include "napi/flights.h"
#include "napi/napi_setup.h"

namespace vinery {

/// Numbers of a record: token, status, microseconds. The same stands in `src/native/binding.ts`.
inline constexpr std::size_t kCompletionStride = 3;

/// Inferences and executions of custom nodes of one environment from start to report. The threads they run on only ever
/// touch the ring and the wake; everything else happens on the JavaScript thread.
///
/// Order at the end of an environment: Node.js runs cleanup hooks last in, first out. `Open` adds ours after the one
/// that the thread-safe function brings along, so all flights are over before that function can go, and before slabs
/// and requests go.
class Completions {
 public:
  Completions();

  /// Once per environment.
  void Open(Napi::Env env, const Napi::Int32Array& records, const Napi::Function& drain);
  bool is_open() const { return open_; }

  /// Starts what was bound. A fault of binding goes through the ring like every other end.
  void Start(Napi::Env env, const std::shared_ptr<Flight>& flight, std::int32_t token, Status bound);

  /// Wakes JavaScript for something that is no flight, under a negative token. Any thread, until the environment's
  /// cleanup hooks that were added after `Open` have run.
  void Notify(std::int32_t token) { ring_.Post({token, 0, 0, Status::Ok()}); }

  /// As `Notify`, from a callback of the event loop: JavaScript has handled it when this returns.
  void TellNow(Napi::Env env, std::int32_t token);

  /// Keeps the event loop alive although nothing flies: notices are waited for.
  void Hold(Napi::Env env, bool held);

  /// Keeps the text of a failure for `TakeError`.
  StatusCode Remember(std::int32_t token, const Status& status);
  std::string TakeError(std::int32_t token);
  const Flights& flights() const { return flights_; }

 private:
  static void OnWake(Napi::Env env, Napi::Function callback, Completions* completions, void* data);
  using Wake = Napi::TypedThreadSafeFunction<Completions, void, &Completions::OnWake>;

  void Drain(Napi::Env env);
  void Launch(std::uint32_t number, std::int32_t token, Status bound);
  bool Resume(const Completion& completion);
  void Report(Napi::Env env, std::uint32_t count);
  void WriteRecord(Completion& completion, std::int32_t* record);
  void StopFlights();
  bool KeepsAlive() const { return held_ || flights_.count() > 0; }

  Flights flights_;
  CompletionRing ring_;
  Wake wake_;
  std::vector<Completion> taken_;
  Napi::Reference<Napi::Int32Array> records_;
  Napi::FunctionReference drain_;
  std::unique_ptr<Napi::AsyncContext> context_;
  /// Texts that nobody has asked for yet; a token's next end replaces or removes its text, so they never pile up.
  std::unordered_map<std::int32_t, std::string> errors_;
  bool open_ = false;
  bool held_ = false;
};

}  // namespace vinery

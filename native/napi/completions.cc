#include "napi/completions.h"

#include <algorithm>
#include <utility>

namespace vinery {
namespace {

/// Raises what JavaScript has thrown as Node.js would, had it called.
void RaiseThrown(Napi::Env env, napi_status called) {
  if (called == napi_ok) return;
  bool pending = false;
  napi_value error = nullptr;
  if (napi_is_exception_pending(env, &pending) != napi_ok || !pending) return;
  if (napi_get_and_clear_last_exception(env, &error) != napi_ok) return;
  // Left to Node.js, a throw out of a thread-safe function ends as a deprecation warning (DEP0168).
  napi_fatal_exception(env, error);
}

}  // namespace

// Waking fails only once the function is closing, and by then `StopFlights` has waited for the last post.
Completions::Completions() : ring_([this] { static_cast<void>(wake_.NonBlockingCall()); }) {}

void Completions::Open(Napi::Env env, const Napi::Int32Array& records, const Napi::Function& drain) {
  records_ = Napi::Persistent(records);
  drain_ = Napi::Persistent(drain);
  context_ = std::make_unique<Napi::AsyncContext>(env, "vinery completions");
  wake_ = Wake::New(env, "vinery completions", 0, 1, this);
  wake_.Unref(env);
  env.AddCleanupHook([](Completions* completions) { completions->StopFlights(); }, this);
  open_ = true;
}

void Completions::Start(Napi::Env env, const std::shared_ptr<Flight>& flight, std::int32_t token, Status bound) {
  if (!KeepsAlive()) wake_.Ref(env);
  Launch(flights_.Add(flight), token, std::move(bound));
}

void Completions::Launch(std::uint32_t number, std::int32_t token, Status bound) {
  if (!bound.ok()) {
    ring_.Post({token, number, 0, std::move(bound)});
    return;
  }
  // Three words fit into std::function's own buffer, so a start allocates nothing here.
  flights_.At(number).Start(
      [this, token, number](Status status, std::int32_t micros) {
        ring_.Post({token, number, micros, std::move(status)});
      },
      [this, token, number] { ring_.Post({token, number, 0, Status::Ok(), true}); });
}

/// Whether the completion was no end, and its flight has gone on.
bool Completions::Resume(const Completion& completion) {
  if (!completion.is_paused) return false;
  Launch(completion.flight, completion.token, flights_.At(completion.flight).Resume());
  return true;
}

void Completions::TellNow(Napi::Env env, std::int32_t token) {
  const Napi::HandleScope handles(env);
  Completion notice{token, 0, 0, Status::Ok()};
  WriteRecord(notice, records_.Value().Data());
  const Napi::Number argument = Napi::Number::New(env, 1);
  const napi_value arguments[] = {argument};
  // Has next ticks and promises run behind it, which Node.js does itself for a thread-safe function.
  RaiseThrown(env, napi_make_callback(env, *context_, env.Global(), drain_.Value(), 1, arguments, nullptr));
}

void Completions::Hold(Napi::Env env, bool held) {
  if (held_ == held) return;
  const bool kept_alive = KeepsAlive();
  held_ = held;
  if (kept_alive == KeepsAlive()) return;
  if (held) {
    wake_.Ref(env);
  } else {
    wake_.Unref(env);
  }
}

StatusCode Completions::Remember(std::int32_t token, const Status& status) {
  if (!status.ok()) {
    errors_[token] = status.text();
  } else if (!errors_.empty()) {
    errors_.erase(token);
  }
  return status.code();
}

std::string Completions::TakeError(std::int32_t token) {
  const auto found = errors_.find(token);
  if (found == errors_.end()) return {};
  std::string text = std::move(found->second);
  errors_.erase(found);
  return text;
}

void Completions::OnWake(Napi::Env env, Napi::Function /*callback*/, Completions* completions, void* /*data*/) {
  // Node.js empties its queue with a null environment while the environment ends; nobody is left to report to.
  if (static_cast<napi_env>(env) != nullptr) completions->Drain(env);
}

void Completions::Drain(Napi::Env env) {
  // What ends while JavaScript handles these wakes the loop anew, so sockets and timers get their turn in between.
  ring_.TakeAll(taken_);
  const auto resumes = [this](const Completion& completion) { return Resume(completion); };
  taken_.erase(std::remove_if(taken_.begin(), taken_.end(), resumes), taken_.end());
  const std::size_t capacity = records_.Value().ElementLength() / kCompletionStride;
  for (std::size_t begin = 0; begin < taken_.size();) {
    const std::size_t count = std::min(capacity, taken_.size() - begin);
    std::int32_t* records = records_.Value().Data();
    for (std::size_t index = 0; index < count; ++index) {
      WriteRecord(taken_[begin + index], records + index * kCompletionStride);
    }
    begin += count;
    Report(env, static_cast<std::uint32_t>(count));
  }
  if (!KeepsAlive()) wake_.Unref(env);
}

void Completions::WriteRecord(Completion& completion, std::int32_t* record) {
  record[0] = completion.token;
  if (completion.token < 0) {
    record[1] = 0;
    record[2] = 0;
    return;
  }
  const Status status = flights_.Remove(completion.flight)->Land(std::move(completion.status));
  record[1] = static_cast<std::int32_t>(Remember(completion.token, status));
  record[2] = completion.micros;
}

void Completions::Report(Napi::Env env, std::uint32_t count) {
  const Napi::Number argument = Napi::Number::New(env, count);
  const napi_value arguments[] = {argument};
  // Not the wrapper's call: it makes an error object of what ends a terminated worker, which cannot be done then.
  RaiseThrown(env, napi_call_function(env, env.Undefined(), drain_.Value(), 1, arguments, nullptr));
}

void Completions::StopFlights() {
  flights_.ForEach([](Flight& flight) { flight.Cancel(); });
  flights_.ForEach([](Flight& flight) { flight.Wait(); });
  flights_.Clear();
  records_.Reset();
  drain_.Reset();
  context_.reset();
}

}  // namespace vinery

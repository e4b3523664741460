#include "calls.h"

#include <atomic>
#include <stdexcept>
#include <thread>

#include "request_file.h"

namespace reference {
namespace {

constexpr std::chrono::seconds kPatience{120};
/// A server that answers nothing but failures would keep the window open.
constexpr std::size_t kMostFailures = 10000;

}  // namespace

Calls::Calls(const Target& target, MeasuringWindow& window) : target_(target), window_(window) {
  answers_.first.resize(target.requests.size());
  for (std::size_t number = 0; number < target.connections; ++number) {
    grpc::ChannelArguments arguments;
    // Otherwise all channels of one address share one connection.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetMaxReceiveMessageSize(-1);
    arguments.SetMaxSendMessageSize(-1);
    stubs_.push_back(std::make_unique<grpc::GenericStub>(
        grpc::CreateCustomChannel(target.address, grpc::InsecureChannelCredentials(), arguments)));
  }
}

Calls::~Calls() {
  for (Call& call : calls_) {
    if (call.context.has_value()) call.context->TryCancel();
  }
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) continue;
}

Answers Calls::closed_loop(std::size_t count) {
  std::size_t sent = 0;
  for (; sent < count; ++sent) start(free_call(), sent, Clock::now());
  for (std::size_t running = count; running > 0;) {
    Call& call = take();
    ended(call);
    if (window_.closed() || answers_.failed >= kMostFailures) {
      running -= 1;
    } else {
      start(call, sent++, Clock::now());
    }
  }
  return answers_;
}

Answers Calls::open_loop(double rate) {
  std::atomic<bool> over{false};
  std::atomic<std::size_t> sent{0};
  const auto began = Clock::now();
  std::thread sender([&] {
    for (std::size_t number = 0; !over; ++number) {
      const std::chrono::duration<double> at(static_cast<double>(number) / rate);
      const auto due = began + std::chrono::duration_cast<Clock::duration>(at);
      std::this_thread::sleep_until(due);
      start(free_call(), number, due);
      sent += 1;
    }
  });
  try {
    for (std::size_t answered = 0; !over || answered < sent; ++answered) {
      Call& call = take();
      ended(call);
      {
        const std::scoped_lock lock(mutex_);
        free_.push_back(&call);
      }
      if (!over && (window_.closed() || answers_.failed >= kMostFailures)) {
        over = true;
        sender.join();
      }
    }
  } catch (...) {
    over = true;
    if (sender.joinable()) sender.join();
    throw;
  }
  return answers_;
}

void Calls::start(Call& call, std::size_t number, Clock::time_point began) {
  call.request = number % target_.requests.size();
  call.began = began;
  call.context.emplace();
  call.response.Clear();
  grpc::GenericStub& stub = *stubs_[number % stubs_.size()];
  call.reader = stub.PrepareUnaryCall(&*call.context, target_.method, target_.requests[call.request], &queue_);
  call.reader->StartCall();
  call.reader->Finish(&call.response, &call.status, &call);
}

Calls::Call& Calls::take() {
  void* tag = nullptr;
  bool ok = false;
  const auto until = std::chrono::system_clock::now() + kPatience;
  if (queue_.AsyncNext(&tag, &ok, until) != grpc::CompletionQueue::GOT_EVENT) {
    throw std::runtime_error("no call ended within " + std::to_string(kPatience.count()) + " seconds");
  }
  return *static_cast<Call*>(tag);
}

void Calls::ended(Call& call) {
  if (!call.status.ok()) return fail(call.status.error_message());
  std::string bytes = Bytes(call.response);
  std::optional<std::string>& known = answers_.first[call.request];
  if (known.has_value() && *known != bytes) {
    return fail("request " + std::to_string(call.request) + " was answered otherwise than before");
  }
  if (!known.has_value()) known = std::move(bytes);
  window_.add(Clock::now() - call.began);
}

void Calls::fail(const std::string& reason) {
  if (answers_.failed == 0) answers_.first_failure = reason;
  answers_.failed += 1;
}

Calls::Call& Calls::free_call() {
  const std::scoped_lock lock(mutex_);
  if (free_.empty()) return calls_.emplace_back();
  Call& call = *free_.back();
  free_.pop_back();
  return call;
}

}  // namespace reference

#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "core/status.h"

namespace vinery {

/// Threads for code that may block for as long as it likes. They are started when no idle one is there, up to a bound,
/// and end when they were idle for a while. Tasks begin in the order in which they were posted.
/// Every function but `Stop` may be called on any thread.
class ThreadPool {
 public:
  /// Must not throw. What it holds is let go on the thread that has run it.
  using Task = std::function<void()>;

  ThreadPool(std::size_t bound, std::chrono::milliseconds idle_time);
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ThreadPool(ThreadPool&&) = delete;
  ThreadPool& operator=(ThreadPool&&) = delete;
  /// `Stop` has been called.
  ~ThreadPool() = default;

  /// Queues a task; `ticket` names it and is never 0. `kInternal`, and the task is dropped, when no thread is there and
  /// none can be started. Once the pool was stopped the task runs at once on this thread.
  Status Post(Task task, std::uint64_t& ticket);

  /// Takes a task out of the queue; false when it has begun or no such task is there.
  bool Withdraw(std::uint64_t ticket);

  /// Runs what is queued to its end and joins all threads. Not on a thread of the pool.
  void Stop();

 private:
  bool StartThread();
  bool Await(std::unique_lock<std::mutex>& lock);
  void Work();
  void End(std::unique_lock<std::mutex>& lock);

  const std::size_t bound_;
  const std::chrono::milliseconds idle_time_;
  std::mutex mutex_;
  std::condition_variable posted_;
  std::condition_variable thread_ended_;
  /// By ticket, so the first one is the oldest.
  std::map<std::uint64_t, Task> queue_;
  std::unordered_map<std::thread::id, std::thread> threads_;
  /// The thread that ended last and is not joined yet; the next one to end joins it.
  std::vector<std::thread> ended_;
  std::size_t idle_ = 0;
  std::uint64_t last_ticket_ = 0;
  bool stopped_ = false;
};

}  // namespace vinery

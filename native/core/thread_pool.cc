#include "core/thread_pool.h"

#include <string>
#include <system_error>
#include <utility>

namespace vinery {

ThreadPool::ThreadPool(std::size_t bound, std::chrono::milliseconds idle_time) : bound_(bound), idle_time_(idle_time) {}

Status ThreadPool::Post(Task task, std::uint64_t& ticket) {
  std::unique_lock lock(mutex_);
  ticket = ++last_ticket_;
  if (stopped_) {
    lock.unlock();
    task();
    return Status::Ok();
  }
  queue_.emplace(ticket, std::move(task));
  const bool wants_thread = queue_.size() > idle_ && threads_.size() < bound_;
  if (wants_thread && !StartThread() && threads_.empty()) {
    const auto dropped = queue_.extract(ticket);
    lock.unlock();
    return {StatusCode::kInternal, "no thread could be started"};
  }
  posted_.notify_one();
  return Status::Ok();
}

/// Under the lock. Another thread that is busy now will come to the task when none can be started.
bool ThreadPool::StartThread() {
  try {
    std::thread thread([this] { Work(); });
    const auto id = thread.get_id();
    threads_.emplace(id, std::move(thread));
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

bool ThreadPool::Withdraw(std::uint64_t ticket) {
  // What the task holds is let go without the lock: it may come back here.
  decltype(queue_)::node_type withdrawn;
  const std::scoped_lock lock(mutex_);
  withdrawn = queue_.extract(ticket);
  return !withdrawn.empty();
}

void ThreadPool::Stop() {
  std::unique_lock lock(mutex_);
  stopped_ = true;
  posted_.notify_all();
  thread_ended_.wait(lock, [this] { return threads_.empty(); });
  std::vector<std::thread> ended = std::exchange(ended_, {});
  lock.unlock();
  for (std::thread& thread : ended) thread.join();
}

/// False when the thread is to end.
bool ThreadPool::Await(std::unique_lock<std::mutex>& lock) {
  ++idle_;
  posted_.wait_for(lock, idle_time_, [this] { return stopped_ || !queue_.empty(); });
  --idle_;
  return !queue_.empty();
}

void ThreadPool::Work() {
  std::unique_lock lock(mutex_);
  while (Await(lock)) {
    auto oldest = queue_.extract(queue_.begin());
    lock.unlock();
    oldest.mapped()();
    oldest = {};
    lock.lock();
  }
  End(lock);
}

void ThreadPool::End(std::unique_lock<std::mutex>& lock) {
  std::vector<std::thread> before = std::exchange(ended_, {});
  ended_.push_back(std::move(threads_.extract(std::this_thread::get_id()).mapped()));
  // Under the lock: `Stop` may be followed by the end of this object.
  thread_ended_.notify_all();
  lock.unlock();
  for (std::thread& thread : before) thread.join();
}

}  // namespace vinery

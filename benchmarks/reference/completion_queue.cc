#include "completion_queue.h"

#include <stdexcept>
#include <string>

namespace reference {

void CompletionQueue::push(std::size_t execution) {
  {
    const std::scoped_lock lock(mutex_);
    completions_.push_back(execution);
  }
  pushed_.notify_one();
}

void CompletionQueue::take(std::vector<std::size_t>& completions, std::chrono::seconds patience) {
  completions.clear();
  std::unique_lock<std::mutex> lock(mutex_);
  if (!pushed_.wait_for(lock, patience, [this] { return !completions_.empty(); })) {
    throw std::runtime_error("no inference ended within " + std::to_string(patience.count()) + " seconds");
  }
  completions.swap(completions_);
}

}  // namespace reference

#include "core/completion_ring.h"

#include <utility>

namespace vinery {

CompletionRing::CompletionRing(std::function<void()> wake) : wake_(std::move(wake)) {}

void CompletionRing::Post(Completion completion) {
  bool first = false;
  {
    const std::scoped_lock lock(mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(completion));
  }
  if (first) wake_();
}

void CompletionRing::TakeAll(std::vector<Completion>& taken) {
  taken.clear();
  const std::scoped_lock lock(mutex_);
  taken.swap(posted_);
}

}  // namespace vinery

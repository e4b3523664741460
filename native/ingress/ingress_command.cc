#include "ingress/ingress_command.h"

#include <sys/eventfd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace vinery {

CommandQueue::CommandQueue() : wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (wake_.get() < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

bool CommandQueue::Push(IngressCommand command) {
  const std::scoped_lock lock(mutex_);
  if (closed_) return false;
  commands_.push_back(std::move(command));
  // Nobody reads its counter: it would take longer than any process lives to overflow.
  if (std::exchange(asleep_, false)) static_cast<void>(::eventfd_write(wake_.get(), 1));
  return true;
}

void CommandQueue::TakeAll(std::vector<IngressCommand>& taken) {
  taken.clear();
  const std::scoped_lock lock(mutex_);
  taken.swap(commands_);
  asleep_ = false;
}

bool CommandQueue::MaySleep() {
  const std::scoped_lock lock(mutex_);
  asleep_ = commands_.empty();
  return asleep_;
}

void CommandQueue::Close() {
  std::vector<IngressCommand> dropped;
  const std::scoped_lock lock(mutex_);
  closed_ = true;
  dropped.swap(commands_);
}

}  // namespace vinery

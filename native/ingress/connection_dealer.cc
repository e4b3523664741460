#include "ingress/connection_dealer.h"

#include <algorithm>
#include <utility>

namespace vinery {

void ConnectionDealer::Join(std::uint64_t group, std::shared_ptr<DealerSeat> seat) {
  const std::scoped_lock lock(mutex_);
  groups_[group].seats.push_back(std::move(seat));
}

void ConnectionDealer::Leave(std::uint64_t group, const std::shared_ptr<DealerSeat>& seat) {
  const std::scoped_lock lock(mutex_);
  const auto found = groups_.find(group);
  if (found == groups_.end()) return;
  auto& seats = found->second.seats;
  seats.erase(std::remove(seats.begin(), seats.end(), seat), seats.end());
  if (seats.empty()) groups_.erase(found);
}

std::shared_ptr<DealerSeat> ConnectionDealer::Deal(std::uint64_t group) {
  const std::scoped_lock lock(mutex_);
  const auto found = groups_.find(group);
  if (found == groups_.end()) return nullptr;
  auto& [seats, next] = found->second;
  // Among equals they take turns.
  next %= seats.size();
  std::size_t chosen = next;
  for (std::size_t step = 1; step < seats.size(); ++step) {
    const std::size_t index = (next + step) % seats.size();
    if (seats[index]->connections < seats[chosen]->connections) chosen = index;
  }
  next = chosen + 1;
  ++seats[chosen]->connections;
  return seats[chosen];
}

}  // namespace vinery

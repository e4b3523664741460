#include "napi/flights.h"

#include <utility>

namespace vinery {

std::uint32_t Flights::Add(std::shared_ptr<Flight> flight) {
  if (free_places_.empty()) {
    free_places_.push_back(static_cast<std::uint32_t>(places_.size()));
    places_.emplace_back();
  }
  const std::uint32_t number = free_places_.back();
  free_places_.pop_back();
  places_[number] = std::move(flight);
  ++count_;
  return number;
}

std::shared_ptr<Flight> Flights::Remove(std::uint32_t number) {
  free_places_.push_back(number);
  --count_;
  return std::exchange(places_.at(number), nullptr);
}

void Flights::Clear() {
  places_.clear();
  free_places_.clear();
  count_ = 0;
}

void Flights::ForEach(const std::function<void(Flight&)>& visit) const {
  for (const auto& place : places_) {
    if (place != nullptr) visit(*place);
  }
}

}  // namespace vinery

#include "napi/flights.h"

#include <utility>

namespace vinery {

std::uint32_t Flights::Add(std::shared_ptr<BoundRequest> request) {
  if (free_places_.empty()) {
    free_places_.push_back(static_cast<std::uint32_t>(places_.size()));
    places_.emplace_back();
  }
  const std::uint32_t flight = free_places_.back();
  free_places_.pop_back();
  places_[flight] = std::move(request);
  ++count_;
  return flight;
}

std::shared_ptr<BoundRequest> Flights::Remove(std::uint32_t flight) {
  free_places_.push_back(flight);
  --count_;
  return std::exchange(places_.at(flight), nullptr);
}

void Flights::Clear() {
  places_.clear();
  free_places_.clear();
  count_ = 0;
}

void Flights::ForEach(const std::function<void(InferRequest&)>& visit) const {
  for (const auto& place : places_) {
    if (place != nullptr) visit(*place->request);
  }
}

}  // namespace vinery

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/flight.h"

namespace vinery {

/// What one environment has started and not yet drained: inferences and executions of custom nodes. Holding them here
/// keeps them alive however JavaScript treats their handles. JavaScript thread only.
class Flights {
 public:
  std::uint32_t Add(std::shared_ptr<Flight> flight);
  Flight& At(std::uint32_t number) const { return *places_.at(number); }
  std::shared_ptr<Flight> Remove(std::uint32_t number);
  void Clear();
  std::uint32_t count() const { return count_; }
  void ForEach(const std::function<void(Flight&)>& visit) const;

 private:
  std::vector<std::shared_ptr<Flight>> places_;
  std::vector<std::uint32_t> free_places_;
  std::uint32_t count_ = 0;
};

}  // namespace vinery

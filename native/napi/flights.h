#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "napi/handles.h"

namespace vinery {

/// The inferences of one environment between start and drain. Holding the request here keeps it alive however
/// JavaScript treats its handle. JavaScript thread only.
class Flights {
 public:
  std::uint32_t Add(std::shared_ptr<BoundRequest> request);
  std::shared_ptr<BoundRequest> Remove(std::uint32_t flight);
  void Clear();
  std::uint32_t count() const { return count_; }
  void ForEach(const std::function<void(InferRequest&)>& visit) const;

 private:
  std::vector<std::shared_ptr<BoundRequest>> places_;
  std::vector<std::uint32_t> free_places_;
  std::uint32_t count_ = 0;
};

}  // namespace vinery

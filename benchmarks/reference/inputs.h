#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace reference {

/// Inputs in memory. The networks read them where they lie: nothing is copied per request.
class Inputs {
 public:
  /// Reads a file of inputs of `elements` floats each. Throws std::runtime_error when it holds no whole number of them.
  Inputs(const std::string& file, std::size_t elements);

  std::size_t count() const { return values_.size() / elements_; }
  const float* at(std::size_t input) const { return values_.data() + input * elements_; }

 private:
  std::size_t elements_;
  std::vector<float> values_;
};

}  // namespace reference

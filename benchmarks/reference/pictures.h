#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace reference {

/// Pictures in memory. The networks read them where they lie: nothing is copied per request.
class Pictures {
 public:
  /// Reads a file of pictures of `elements` floats each. Throws std::runtime_error when it holds no whole number of
  /// them.
  Pictures(const std::string& file, std::size_t elements);

  std::size_t count() const { return values_.size() / elements_; }
  /// Not const: OpenVINO's tensors have no form for memory that is only read.
  float* at(std::size_t picture) { return values_.data() + picture * elements_; }

 private:
  std::size_t elements_;
  std::vector<float> values_;
};

}  // namespace reference

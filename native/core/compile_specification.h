#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace vinery {

/// Whole numbers travel as `int64_t`: OpenVINO reads `NUM_STREAMS` and the like from integers, not from `4.0`.
using PropertyValue = std::variant<std::string, bool, std::int64_t, double>;

/// `[min, max]` of a dimension; max is -1 when there is none.
using DimensionRange = std::pair<std::int64_t, std::int64_t>;

/// The names that clients use, each behind the name of its tensor.
using MappedNames = std::vector<std::pair<std::string, std::string>>;

/// Ports without an entry keep their own names.
struct NameMapping {
  MappedNames inputs;
  MappedNames outputs;
};

/// For the input that is served under a name, or, without one, for the only input. No dimensions: the model's rank with
/// every dimension unbounded.
struct ShapeRequest {
  std::string name;
  std::optional<std::vector<DimensionRange>> dimensions;
};

/// For the input and the output that are served under a name, or, without one, for the only input.
struct LayoutRequest {
  std::string name;
  std::optional<std::string> tensor;
  std::optional<std::string> model;
};

/// What clients send and what the model gets instead, in OpenVINO's names of element types or ours of color formats.
struct ConversionRequest {
  std::string tensor;
  std::string model;
};

/// What happens to the values of every input, in the order color, element type, mean, scale. No number: not asked for;
/// one: for all channels.
struct PreprocessingRequest {
  std::vector<float> mean;
  std::vector<float> scale;
  std::optional<ConversionRequest> color;
  std::optional<ConversionRequest> element_type;

  bool empty() const { return mean.empty() && scale.empty() && !color && !element_type; }
};

/// A model that keeps state between the requests of a sequence.
struct StatefulRequest {
  /// Sequences at once.
  std::uint32_t max_sequences = 0;
  /// Loops are taken apart, so that each request is one step of them.
  bool low_latency = false;
};

/// What to read and how to compile it; `CompileSpecification` of `src/native/binding.ts` with the same fields.
struct CompileSpecification {
  std::string path;
  std::string device;
  std::vector<std::pair<std::string, PropertyValue>> properties;
  NameMapping mapping;
  std::vector<ShapeRequest> shapes;
  std::vector<LayoutRequest> layouts;
  /// For the batch dimension of every input.
  std::optional<DimensionRange> batch;
  PreprocessingRequest preprocessing;
  std::optional<StatefulRequest> stateful;
  /// Rows that the requests of several clients may have together; absent: requests are inferred one by one.
  std::optional<std::uint32_t> joined_rows;
};

}  // namespace vinery

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

struct ShapeRequest {
  std::string name;
  std::vector<DimensionRange> dimensions;
};

struct LayoutRequest {
  std::string name;
  std::optional<std::string> tensor;
  std::optional<std::string> model;
};

/// What to read and how to compile it; `CompileSpecification` of `src/native/binding.ts` with the same fields.
struct CompileSpecification {
  std::string path;
  std::string device;
  std::vector<std::pair<std::string, PropertyValue>> properties;
  std::vector<ShapeRequest> shapes;
  std::vector<LayoutRequest> layouts;
};

}  // namespace vinery

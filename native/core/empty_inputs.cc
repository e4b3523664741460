#include "core/empty_inputs.h"

#include <algorithm>
#include <openvino/op/util/multi_subgraph_base.hpp>
#include <string_view>
#include <unordered_set>

namespace vinery {
namespace {

/// Of OpenVINO's own operations those whose values tell the shape of an output.
bool HasShapeFromValues(std::string_view name) {
  static const std::unordered_set<std::string_view> names = {
      "CTCGreedyDecoderSeqLen",
      "ExperimentalDetectronDetectionOutput",
      "MatrixNms",
      "MulticlassNms",
      "NMSRotated",
      "NonMaxSuppression",
      "StringTensorUnpack",
      "Unique",
  };
  return names.count(name) != 0;
}

/// Loops and branches hide operations in their bodies; an extension's operations may do anything.
bool IsSkippedUnharmed(const ov::Node& operation) {
  const char* version = operation.get_type_info().version_id;
  return version != nullptr && std::string_view(version).substr(0, 5) == "opset" &&
         dynamic_cast<const ov::op::util::MultiSubGraphOp*>(&operation) == nullptr &&
         !HasShapeFromValues(operation.get_type_info().name);
}

}  // namespace

bool NeedsElements(const ov::Model& model) {
  const auto operations = model.get_ops();
  return !std::all_of(operations.begin(), operations.end(),
                      [](const auto& operation) { return IsSkippedUnharmed(*operation); });
}

}  // namespace vinery

#include "core/empty_inputs.h"

#include <algorithm>
#include <openvino/op/constant.hpp>
#include <openvino/op/util/multi_subgraph_base.hpp>
#include <openvino/op/util/rnn_cell_base.hpp>
#include <openvino/op/util/sub_graph_base.hpp>
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
bool IsPlain(const ov::Node& operation) {
  const char* version = operation.get_type_info().version_id;
  return version != nullptr && std::string_view(version).substr(0, 5) == "opset" &&
         dynamic_cast<const ov::op::util::MultiSubGraphOp*>(&operation) == nullptr;
}

bool IsSkippedUnharmed(const ov::Node& operation) {
  return IsPlain(operation) && !HasShapeFromValues(operation.get_type_info().name);
}

/// Of OpenVINO's own operations those that write an output with elements also when an input has none, with the values
/// that they are defined to have: measured over memory with other contents, with open and with fixed shapes.
bool WritesAlways(std::string_view name) {
  static const std::unordered_set<std::string_view> names = {
      "Broadcast",       "Bucketize",
      "Concat",          "ConvertLike",
      "Einsum",          "EmbeddingSegmentsSum",
      "MatMul",          "MVN",
      "NormalizeL2",     "ReduceL1",
      "ReduceL2",        "ReduceLogicalAnd",
      "ReduceLogicalOr", "ReduceMax",
      "ReduceMean",      "ReduceMin",
      "ReduceProd",      "ReduceSum",
      "Reshape",         "ScatterElementsUpdate",
      "ScatterNDUpdate", "ScatterUpdate",
      "ShapeOf",         "Slice",
      "SliceScatter",
  };
  return names.count(name) != 0;
}

bool IsEmpty(const ov::PartialShape& shape) {
  return shape.rank().is_static() &&
         std::any_of(shape.begin(), shape.end(), [](const ov::Dimension& size) { return size == ov::Dimension(0); });
}

/// Whether a loop has a round for each slice of the input.
bool IsSliced(const ov::op::util::SubGraphOp& loop, std::size_t input) {
  const auto& descriptions = loop.get_input_descriptions();
  return std::any_of(descriptions.begin(), descriptions.end(), [input](const auto& description) {
    return description->m_input_index == input &&
           dynamic_cast<const ov::op::util::MultiSubGraphOp::SliceInputDescription*>(description.get()) != nullptr;
  });
}

/// Of loops and branches the bodies are asked.
bool WorksWithout(const ov::Node& operation, std::size_t input) {
  if (const auto* loop = dynamic_cast<const ov::op::util::SubGraphOp*>(&operation)) return !IsSliced(*loop, input);
  if (dynamic_cast<const ov::op::util::MultiSubGraphOp*>(&operation) != nullptr) return true;
  // A recurrent operation for no rows divides by their number when it is compiled.
  if (!IsPlain(operation) || dynamic_cast<const ov::op::util::RNNCellBase*>(&operation) != nullptr) return false;
  const auto outputs = operation.outputs();
  return WritesAlways(operation.get_type_info().name) ||
         std::all_of(outputs.begin(), outputs.end(),
                     [](const auto& output) { return IsEmpty(output.get_partial_shape()); });
}

std::string FindStarvedInside(const ov::Node& operation) {
  const auto* outer = dynamic_cast<const ov::op::util::MultiSubGraphOp*>(&operation);
  if (outer == nullptr) return {};
  for (const auto& body : outer->get_functions()) {
    if (std::string found = FindStarved(*body); !found.empty()) return found;
  }
  return {};
}

}  // namespace

bool NeedsElements(const ov::Model& model) {
  const auto operations = model.get_ops();
  return !std::all_of(operations.begin(), operations.end(),
                      [](const auto& operation) { return IsSkippedUnharmed(*operation); });
}

std::string FindStarved(const ov::Model& model) {
  // What is made of constants alone is the same in every request, and mostly computed when the model is compiled.
  std::unordered_set<const ov::Node*> constant;
  for (const auto& operation : model.get_ordered_ops()) {
    if (std::string found = FindStarvedInside(*operation); !found.empty()) return found;
    const auto inputs = operation->input_values();
    const auto is_constant = [&](const auto& input) { return constant.count(input.get_node()) != 0; };
    if (ov::is_type<ov::op::v0::Constant>(operation) ||
        (!inputs.empty() && std::all_of(inputs.begin(), inputs.end(), is_constant))) {
      constant.insert(operation.get());
      continue;
    }
    for (std::size_t index = 0; index < inputs.size(); ++index) {
      const ov::PartialShape& shape = inputs[index].get_partial_shape();
      if (!IsEmpty(shape) || is_constant(inputs[index]) || WorksWithout(*operation, index)) continue;
      return std::string(operation->get_type_name()) + " " + operation->get_friendly_name() +
             ": expected at least one element, received " + shape.to_string();
    }
  }
  return {};
}

}  // namespace vinery

#include "core/constant_chains.h"

#include <algorithm>
#include <array>
#include <openvino/op/constant.hpp>
#include <openvino/op/result.hpp>
#include <openvino/pass/constant_folding.hpp>
#include <openvino/pass/manager.hpp>
#include <sstream>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace vinery {
namespace {

/// What runtime models say of a node: its type, and the operations that it came from.
constexpr const char* kLayerType = "layerType";
constexpr const char* kOriginalNames = "originalLayersNames";

/// Types of nodes that never write over their input. Those that work in place (Reshape and some of the others) only
/// give it another shape.
constexpr std::array<std::string_view, 11> kNeverOverwrite = {
    "Reorder",      "Transpose", "Convert",   "Gather",  "Concatenation",  "StridedSlice",
    "Tile",         "Broadcast", "Reshape",   "MatMul",  "FullyConnected"};

/// Types of nodes that write over what other nodes have made, but never over a constant of the model. Others may, as
/// NormalizeL2 does.
constexpr std::array<std::string_view, 2> kSpareConstants = {"Eltwise", "Subgraph"};

/// Types whose results change from one inference to the next, even on constants.
constexpr std::array<std::string_view, 5> kNeverConstant = {"MemoryInput", "ReadValue", "ReadValueWithSubgraph",
                                                            "RandomUniform", "Multinomial"};

template <std::size_t count>
bool Has(const std::array<std::string_view, count>& types, std::string_view type) {
  return std::find(types.begin(), types.end(), type) != types.end();
}

std::string RuntimeText(const ov::Node& node, const char* key) {
  const auto& info = node.get_rt_info();
  const auto found = info.find(key);
  return found == info.end() ? std::string() : found->second.as<std::string>();
}

void AddOriginalNames(const ov::Node& node, OperationNames& names) {
  std::stringstream list(RuntimeText(node, kOriginalNames));
  bool has_any = false;
  for (std::string name; std::getline(list, name, ',');) {
    names.insert(name);
    has_any = true;
  }
  if (!has_any) names.insert(node.get_friendly_name());
}

/// What a node's inputs are made of.
enum class Source { kOther, kConstants, kExecutedConstants };

/// Nodes on constants only; the value tells whether the constant was made by executing a node.
using ConstantNodes = std::unordered_map<const ov::Node*, bool>;

Source SourceOf(const ov::Node& node, const ConstantNodes& constants) {
  if (node.get_input_size() == 0) return Source::kOther;
  bool is_executed = false;
  for (const auto& input : node.input_values()) {
    const auto found = constants.find(input.get_node());
    if (found == constants.end()) return Source::kOther;
    is_executed |= found->second;
  }
  return is_executed ? Source::kExecutedConstants : Source::kConstants;
}

bool MayOverwrite(std::string_view type, Source source) {
  if (Has(kNeverOverwrite, type)) return false;
  return source == Source::kExecutedConstants || !Has(kSpareConstants, type);
}

/// Gives each reader but the first a constant of its own. A FullyConnected takes the weights that another one has laid
/// out, even transposed, when both read one memory (OpenVINO 2026.4.1).
void Unshare(const ov::Output<ov::Node>& output) {
  const auto constant = ov::as_type_ptr<ov::op::v0::Constant>(output.get_node_shared_ptr());
  if (constant == nullptr) return;
  bool is_first = true;
  for (auto input : output.get_target_inputs()) {
    if (ov::is_type<ov::op::v0::Result>(input.get_node())) continue;
    if (!is_first) {
      input.replace_source_output(std::make_shared<ov::op::v0::Constant>(
          constant->get_element_type(), constant->get_shape(), constant->get_data_ptr()));
    }
    is_first = false;
  }
}

/// Operations of a model on constants only; the value tells whether the operation is no constant itself.
ConstantNodes FindConstants(const ov::Model& model) {
  ConstantNodes constants;
  for (const auto& operation : model.get_ordered_ops()) {
    if (ov::is_type<ov::op::v0::Constant>(operation)) {
      constants.emplace(operation.get(), false);
    } else if (!Has(kNeverConstant, operation->get_type_name()) && !ov::is_type<ov::op::v0::Result>(operation) &&
               SourceOf(*operation, constants) != Source::kOther) {
      constants.emplace(operation.get(), true);
    }
  }
  return constants;
}

}  // namespace

OperationNames FindConstantChains(const ov::Model& runtime_model) {
  ConstantNodes constants;
  OperationNames names;
  for (const auto& node : runtime_model.get_ordered_ops()) {
    const std::string type = RuntimeText(*node, kLayerType);
    if (type == "Const") {
      constants.emplace(node.get(), false);
      continue;
    }
    const Source source = SourceOf(*node, constants);
    if (source == Source::kOther || type == "Output" || Has(kNeverConstant, type)) continue;
    if (MayOverwrite(type, source)) AddOriginalNames(*node, names);
    constants.emplace(node.get(), type != "Reshape" || source == Source::kExecutedConstants);
  }
  return names;
}

bool HasExecutedConstants(const ov::Model& model) {
  const ConstantNodes constants = FindConstants(model);
  return std::any_of(constants.begin(), constants.end(), [](const auto& constant) { return constant.second; });
}

void FoldConstants(const ov::Model& model, const OperationNames& names) {
  const ConstantNodes constants = FindConstants(model);
  ov::ResultVector results;
  for (const auto& operation : model.get_ordered_ops()) {
    const auto found = constants.find(operation.get());
    if (found == constants.end() || !found->second || names.count(operation->get_friendly_name()) == 0) continue;
    for (const auto& output : operation->outputs()) results.push_back(std::make_shared<ov::op::v0::Result>(output));
  }
  if (results.empty()) return;
  const auto part = std::make_shared<ov::Model>(results, ov::ParameterVector{});
  ov::pass::Manager manager;
  manager.register_pass<ov::pass::ConstantFolding>();
  manager.run_passes(part);
  for (const auto& result : results) Unshare(result->input_value(0));
}

}  // namespace vinery

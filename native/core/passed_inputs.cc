#include "core/passed_inputs.h"

#include <algorithm>
#include <memory>
#include <openvino/op/convert.hpp>
#include <openvino/op/convert_like.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/result.hpp>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "core/openvino_fault.h"
#include "core/shape_check.h"

namespace vinery {
namespace {

bool IsConversion(const ov::Node& operation) {
  return ov::is_type<ov::op::v0::Convert>(&operation) || ov::is_type<ov::op::v1::ConvertLike>(&operation);
}

/// What no compiler drops, so that the search can end there: common operations that compute.
bool Stays(const ov::Node& operation) {
  static const std::unordered_set<std::string_view> names = {"Convolution",
                                                             "ConvolutionBackpropData",
                                                             "GroupConvolution",
                                                             "GroupConvolutionBackpropData",
                                                             "LSTMSequence",
                                                             "MVN",
                                                             "MatMul",
                                                             "NonMaxSuppression",
                                                             "NonZero",
                                                             "ScaledDotProductAttention",
                                                             "ShapeOf",
                                                             "Softmax",
                                                             "TopK"};
  return names.count(operation.get_type_info().name) != 0;
}

/// A conversion of what a parameter of open shape tells, on the way to a result of the same element type; null when
/// there is none.
const ov::Node* FindConversion(const ov::op::v0::Result& result) {
  const ov::Node* conversion = nullptr;
  bool has_parameter = false;
  std::unordered_set<const ov::Node*> seen;
  std::vector<const ov::Node*> ahead = {result.get_input_node_ptr(0)};
  while (!ahead.empty()) {
    const ov::Node* operation = ahead.back();
    ahead.pop_back();
    if (!seen.insert(operation).second || Stays(*operation)) continue;
    has_parameter |= ov::is_type<ov::op::v0::Parameter>(operation) &&
                     operation->get_output_partial_shape(0).is_dynamic() &&
                     operation->get_output_element_type(0) == result.get_element_type();
    // The shape of what is made of constants is fixed.
    if (IsConversion(*operation) && operation->get_output_partial_shape(0).is_dynamic()) conversion = operation;
    for (const auto& input : operation->input_values()) ahead.push_back(input.get_node());
  }
  return has_parameter ? conversion : nullptr;
}

std::ptrdiff_t CountPassed(const ov::Model& model) {
  const auto& results = model.get_results();
  return std::count_if(results.begin(), results.end(), [](const auto& result) {
    return ov::is_type<ov::op::v0::Parameter>(result->get_input_node_ptr(0));
  });
}

}  // namespace

std::string FindPassedInput(const ov::Model& model, const ov::CompiledModel& compiled) {
  if (!HasOpenInputs(model)) return {};
  const ov::Node* conversion = nullptr;
  for (const auto& result : model.get_results()) {
    if (conversion == nullptr) conversion = FindConversion(*result);
  }
  // Where nothing can be dropped the runtime model, which takes longer, is not looked at.
  if (conversion == nullptr) return {};
  std::shared_ptr<const ov::Model> runtime;
  // Devices that do not show one are not the CPU plug-in.
  const bool is_shown = Guard(StatusCode::kInternal, [&] { runtime = compiled.get_runtime_model(); }).ok();
  if (!is_shown || CountPassed(*runtime) <= CountPassed(model)) return {};
  return std::string(conversion->get_type_name()) + " " + conversion->get_friendly_name() +
         " is dropped, which leaves nothing between an input and an output";
}

}  // namespace vinery

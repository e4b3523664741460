#include "core/shape_check.h"

#include <algorithm>
#include <map>
#include <openvino/op/constant.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/util/multi_subgraph_base.hpp>
#include <string>

#include "core/empty_inputs.h"
#include "core/openvino_fault.h"
#include "core/operation_check.h"

namespace vinery {
namespace {

/// Larger constants are weights. Smaller ones may be axes, sizes and patterns, whose values tell shapes.
constexpr std::size_t kLargestPattern = 4096;

/// The constant in a parameter's place keeps the order of the model's own parameters: it stands after them.
void Unload(ov::Model& model, const std::shared_ptr<ov::Node>& operation) {
  const auto constant = ov::as_type_ptr<ov::op::v0::Constant>(operation);
  if (constant == nullptr || constant->get_byte_size() <= kLargestPattern) return;
  auto stand_in = std::make_shared<ov::op::v0::Parameter>(constant->get_element_type(), constant->get_shape());
  constant->output(0).replace(stand_in->output(0));
  model.add_parameters({std::move(stand_in)});
}

std::string ToText(const InputShapes& shapes) {
  std::string text;
  for (const ov::Shape& shape : shapes) {
    text += text.empty() ? "(" : ", (";
    for (const std::size_t size : shape) text += (text.back() == '(' ? "" : ",") + std::to_string(size);
    text += ')';
  }
  return text;
}

/// Named as in models that refuse every input without elements.
Status NameStarved(const InputShapes& shapes, std::string starved) {
  const auto empty =
      std::find_if(shapes.begin(), shapes.end(), [](const ov::Shape& shape) { return ov::shape_size(shape) == 0; });
  if (empty == shapes.end()) return {StatusCode::kReshapeFailed, ToText(shapes) + ": " + std::move(starved)};
  return Status(StatusCode::kBindingFailed, kNoElements).At("input " + std::to_string(empty - shapes.begin()));
}

}  // namespace

bool HasOpenInputs(const ov::Model& model) {
  const auto inputs = model.inputs();
  return std::any_of(inputs.begin(), inputs.end(),
                     [](const auto& port) { return port.get_partial_shape().is_dynamic(); });
}

InputShapes FixedInputs(const ov::Model& model) {
  InputShapes shapes;
  for (const auto& port : model.inputs()) shapes.push_back(port.get_shape());
  return shapes;
}

bool IsStaticInside(const ov::Model& model) {
  const auto operations = model.get_ops();
  return std::all_of(operations.begin(), operations.end(), [](const auto& operation) {
    const auto outputs = operation->outputs();
    if (!std::all_of(outputs.begin(), outputs.end(),
                     [](const auto& port) { return port.get_partial_shape().is_static(); })) {
      return false;
    }
    const auto* outer = dynamic_cast<const ov::op::util::MultiSubGraphOp*>(operation.get());
    if (outer == nullptr) return true;
    const auto& bodies = outer->get_functions();
    return std::all_of(bodies.begin(), bodies.end(), [](const auto& body) { return IsStaticInside(*body); });
  });
}

std::shared_ptr<ov::Model> WithoutWeights(const ov::Model& model) {
  auto copy = model.clone();
  for (const auto& operation : copy->get_ops()) Unload(*copy, operation);
  return copy;
}

Status CheckBounds(const ov::Model& model, const InputShapes& shapes) {
  for (std::size_t index = 0; index < shapes.size(); ++index) {
    const ov::PartialShape bounds = model.input(index).get_partial_shape();
    if (bounds.compatible(shapes[index])) continue;
    return {StatusCode::kBindingFailed, "input " + std::to_string(index) + ": expected the shape " +
                                            bounds.to_string() + ", received " + ToText({shapes[index]})};
  }
  return Status::Ok();
}

Status FitShapes(const ov::Model& model, const InputShapes& shapes, std::shared_ptr<ov::Model>& fitted) {
  std::string starved;
  Status status = Guard(StatusCode::kReshapeFailed, [&] {
    auto copy = model.clone();
    std::map<ov::Output<ov::Node>, ov::PartialShape> wanted;
    for (std::size_t index = 0; index < shapes.size(); ++index) wanted[copy->input(index)] = shapes[index];
    copy->reshape(wanted);
    CheckOperations(*copy);
    starved = FindStarved(*copy);
    if (starved.empty()) fitted = std::move(copy);
  });
  if (!status.ok()) return std::move(status).At(ToText(shapes));
  return starved.empty() ? Status::Ok() : NameStarved(shapes, std::move(starved));
}

}  // namespace vinery

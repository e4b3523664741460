#include "core/compiled_model.h"

#include <algorithm>
#include <map>
#include <openvino/core/preprocess/pre_post_process.hpp>
#include <openvino/op/util/multi_subgraph_base.hpp>
#include <string_view>

#include "core/openvino_fault.h"

namespace vinery {
namespace {

ov::PartialShape ToPartialShape(const std::vector<DimensionRange>& dimensions) {
  std::vector<ov::Dimension> partial;
  partial.reserve(dimensions.size());
  for (const auto& [shortest, longest] : dimensions) partial.emplace_back(shortest, longest);
  return {partial};
}

ov::AnyMap ToAnyMap(const std::vector<std::pair<std::string, PropertyValue>>& properties) {
  ov::AnyMap map;
  for (const auto& [name, value] : properties) {
    std::visit([&map, &key = name](const auto& plain) { map.emplace(key, plain); }, value);
  }
  return map;
}

bool HasInput(const ov::Model& model, const std::string& name) {
  const auto inputs = model.inputs();
  return std::any_of(inputs.begin(), inputs.end(), [&](const auto& port) { return port.get_names().count(name) != 0; });
}

/// The pre-processor adds the transpose by itself once it knows that the layouts on both sides of a port differ.
template <typename Side>
void SetLayouts(Side& side, const LayoutRequest& request) {
  if (request.tensor) side.tensor().set_layout(ov::Layout(*request.tensor));
  if (request.model) side.model().set_layout(ov::Layout(*request.model));
}

/// A request without a name is for the only input.
template <typename Request>
bool IsAmbiguous(const ov::Model& model, const std::vector<Request>& requests) {
  const auto nameless = [](const Request& request) { return request.name.empty(); };
  return model.inputs().size() != 1 && std::any_of(requests.begin(), requests.end(), nameless);
}

Status ArrangeLayouts(std::shared_ptr<ov::Model>& model, const std::vector<LayoutRequest>& layouts) {
  if (layouts.empty()) return Status::Ok();
  if (IsAmbiguous(*model, layouts)) {
    return {StatusCode::kLayoutFailed, "Anonymous fixed layout is invalid for models with multiple inputs"};
  }
  return Guard(StatusCode::kLayoutFailed, [&] {
    ov::preprocess::PrePostProcessor processor(model);
    for (const LayoutRequest& request : layouts) {
      if (request.name.empty()) {
        SetLayouts(processor.input(), request);
      } else if (HasInput(*model, request.name)) {
        SetLayouts(processor.input(request.name), request);
      } else {
        SetLayouts(processor.output(request.name), request);
      }
    }
    model = processor.build();
  });
}

/// After the layouts, because shapes are given as clients see them (as OVMS 2026.2.1 does).
Status Reshape(ov::Model& model, const std::vector<ShapeRequest>& shapes) {
  if (shapes.empty()) return Status::Ok();
  if (IsAmbiguous(model, shapes)) {
    return {StatusCode::kReshapeFailed, "Anonymous fixed shape is invalid for models with multiple inputs"};
  }
  return Guard(StatusCode::kReshapeFailed, [&] {
    std::map<ov::Output<ov::Node>, ov::PartialShape> wanted;
    for (const ShapeRequest& request : shapes) {
      wanted[request.name.empty() ? model.input() : model.input(request.name)] = ToPartialShape(request.dimensions);
    }
    model.reshape(wanted);
  });
}

/// Loops and branches hide shapes in their bodies.
bool IsOrdinary(const ov::Node& operation) {
  const char* version = operation.get_type_info().version_id;
  return version != nullptr && std::string_view(version).substr(0, 5) == "opset" &&
         dynamic_cast<const ov::op::util::MultiSubGraphOp*>(&operation) == nullptr;
}

bool MayFailInside(const ov::Model& model) {
  const auto operations = model.get_ops();
  return model.is_dynamic() || !std::all_of(operations.begin(), operations.end(),
                                            [](const auto& operation) { return IsOrdinary(*operation); });
}

}  // namespace

CompiledModel::CompiledModel(std::shared_ptr<ov::Core> core, ov::CompiledModel compiled, const ov::Model& source)
    : core_(std::move(core)),
      compiled_(std::move(compiled)),
      description_(Describe(compiled_, source)),
      may_fail_inside_(MayFailInside(source)) {}

Status CompiledModel::Compile(const std::shared_ptr<ov::Core>& core, const CompileSpecification& specification,
                              std::shared_ptr<const CompiledModel>& model) {
  std::shared_ptr<ov::Model> source;
  Status status = Guard(StatusCode::kReadFailed, [&] { source = core->read_model(specification.path); });
  if (!status.ok()) return status;
  if (status = ArrangeLayouts(source, specification.layouts); !status.ok()) return status;
  if (status = Reshape(*source, specification.shapes); !status.ok()) return status;
  return Guard(StatusCode::kCompileFailed, [&] {
    auto compiled = core->compile_model(source, specification.device, ToAnyMap(specification.properties));
    model = std::make_shared<const CompiledModel>(core, std::move(compiled), *source);
  });
}

}  // namespace vinery

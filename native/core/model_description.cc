#include "core/model_description.h"

#include <algorithm>
#include <openvino/core/layout.hpp>
#include <openvino/runtime/properties.hpp>

#include "core/openvino_fault.h"

namespace vinery {
namespace {

std::vector<DimensionRange> DescribeDimensions(const ov::PartialShape& shape) {
  std::vector<DimensionRange> dimensions;
  for (const ov::Dimension& dimension : shape) {
    dimensions.emplace_back(dimension.get_min_length(), dimension.get_max_length());
  }
  return dimensions;
}

/// `[N,C,H,W]` becomes `NCHW`. A layout with longer names (`[batch,C]`) cannot be written so and stays as it is.
std::string DescribeLayout(const ov::Layout& layout) {
  if (layout.empty()) return {};
  std::string text = layout.to_string();
  std::string letters;
  std::size_t name_length = 0;
  for (const char letter : text) {
    if (letter == '[' || letter == ']' || letter == ',') {
      name_length = 0;
      continue;
    }
    if (letter != '.' && ++name_length > 1) return text;
    letters += letter;
  }
  return letters;
}

void TakeShape(PortDescription& description, const ov::PartialShape& shape) {
  if (shape.rank().is_static()) description.dimensions = DescribeDimensions(shape);
}

PortDescription DescribePort(const ov::Output<const ov::Node>& port, const ov::Output<const ov::Node>& source,
                             const PortName& name) {
  PortDescription description;
  description.name = name.served;
  description.names = name.tensors;
  description.element_type = port.get_element_type().get_type_name();
  TakeShape(description, port.get_partial_shape());
  description.layout = DescribeLayout(ov::layout::get_layout(source));
  return description;
}

/// Values of whatever type become texts; what has no text says so (as OVMS 2026.2.1).
std::string DescribeText(const ov::Any& value) {
  try {
    return value.as<std::string>();
  } catch (const ov::Exception&) {
    return "Error converting value";
  }
}

std::vector<ModelInfo> DescribeInfo(const ov::AnyMap& entries) {
  std::vector<ModelInfo> info;
  info.reserve(entries.size());
  for (const auto& [name, value] : entries) {
    if (value.is<ov::AnyMap>()) {
      info.push_back({name, DescribeInfo(value.as<ov::AnyMap>())});
    } else {
      info.push_back({name, DescribeText(value)});
    }
  }
  return info;
}

/// A single value under that name is no description.
std::optional<std::vector<ModelInfo>> FindModelInfo(const ov::Model& model) {
  const std::string key = "model_info";
  if (!model.has_rt_info(key)) return std::nullopt;
  const auto& entries = model.get_rt_info<ov::Any>(key);
  if (!entries.is<ov::AnyMap>()) return std::nullopt;
  return DescribeInfo(entries.as<ov::AnyMap>());
}

/// A count; what the device tells by a number below 1 (automatic) counts as 1.
std::uint32_t ToCount(std::int64_t number) { return number < 1 ? 1 : static_cast<std::uint32_t>(number); }
std::uint32_t ToCount(const ov::streams::Num& number) { return ToCount(number.num); }

/// Not every device knows every property; what it does not tell counts as 1.
template <typename Property>
std::uint32_t ReadCount(const ov::CompiledModel& compiled, const Property& property) {
  const auto supported = compiled.get_property(ov::supported_properties);
  if (std::find(supported.begin(), supported.end(), property.name()) == supported.end()) return 1;
  return ToCount(compiled.get_property(property));
}

/// Not among the supported properties of a device, because OpenVINO itself answers. Some devices refuse.
bool IsFromCache(const ov::CompiledModel& compiled) {
  bool is_from_cache = false;
  const Status status =
      Guard(StatusCode::kInternal, [&] { is_from_cache = compiled.get_property(ov::loaded_from_cache); });
  return status.ok() && is_from_cache;
}

}  // namespace

ModelDescription Describe(const ov::CompiledModel& compiled, const ov::Model& model, const PortNames& names) {
  ModelDescription description;
  const auto& inputs = compiled.inputs();
  for (std::size_t index = 0; index < inputs.size(); ++index) {
    description.inputs.push_back(DescribePort(inputs[index], model.input(index), names.inputs[index]));
  }
  const auto& outputs = compiled.outputs();
  for (std::size_t index = 0; index < outputs.size(); ++index) {
    description.outputs.push_back(DescribePort(outputs[index], model.output(index), names.outputs[index]));
  }
  description.optimal_infer_requests = ReadCount(compiled, ov::optimal_number_of_infer_requests);
  description.streams = ReadCount(compiled, ov::num_streams);
  description.loaded_from_cache = IsFromCache(compiled);
  description.model_info = FindModelInfo(model);
  return description;
}

void TakeShapes(ModelDescription& description, const ov::Model& model) {
  for (std::size_t index = 0; index < description.inputs.size(); ++index) {
    TakeShape(description.inputs[index], model.input(index).get_partial_shape());
  }
  for (std::size_t index = 0; index < description.outputs.size(); ++index) {
    TakeShape(description.outputs[index], model.output(index).get_partial_shape());
  }
}

}  // namespace vinery

#include "core/model_preparation.h"

#include <algorithm>
#include <array>
#include <map>
#include <openvino/core/layout.hpp>
#include <openvino/core/preprocess/pre_post_process.hpp>
#include <openvino/pass/low_latency.hpp>
#include <openvino/runtime/properties.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/idle_loops.h"
#include "core/open_batch.h"
#include "core/openvino_fault.h"

namespace vinery {
namespace {

ov::PartialShape ToPartialShape(const std::vector<DimensionRange>& dimensions) {
  std::vector<ov::Dimension> partial;
  partial.reserve(dimensions.size());
  for (const auto& [shortest, longest] : dimensions) partial.emplace_back(shortest, longest);
  return {partial};
}

/// Weights are read into memory, whatever the properties say of `ENABLE_MMAP`: where OpenVINO maps a file, one that is
/// truncated ends the process with SIGBUS, and one that is written to changes a model that serves.
ov::AnyMap Unmapped() { return {{ov::enable_mmap.name(), false}}; }

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

/// An empty name is for the only input.
std::optional<std::size_t> FindInput(const PortNames& names, const std::string& name) {
  return name.empty() ? 0 : FindPort(names.inputs, name);
}

/// By the places of ports: several outputs may have one tensor, and a tensor need not have a name.
Status ArrangeLayouts(std::shared_ptr<ov::Model>& model, const PortNames& names,
                      const std::vector<LayoutRequest>& layouts) {
  if (layouts.empty()) return Status::Ok();
  if (IsAmbiguous(*model, layouts)) {
    return {StatusCode::kLayoutFailed, "Anonymous fixed layout is invalid for models with multiple inputs"};
  }
  return Guard(StatusCode::kLayoutFailed, [&] {
    ov::preprocess::PrePostProcessor processor(model);
    for (const LayoutRequest& request : layouts) {
      const auto input = FindInput(names, request.name);
      const auto output = FindPort(names.outputs, request.name);
      if (!input && !output) {
        throw std::invalid_argument("expected one of the inputs " + ServedNames(names.inputs) + " or of the outputs " +
                                    ServedNames(names.outputs) + ", received " + request.name);
      }
      if (input) SetLayouts(processor.input(*input), request);
      if (output) SetLayouts(processor.output(*output), request);
    }
    model = processor.build();
  });
}

using WantedShapes = std::map<ov::Output<ov::Node>, ov::PartialShape>;

void AddShapes(ov::Model& model, const PortNames& names, const std::vector<ShapeRequest>& shapes,
               WantedShapes& wanted) {
  for (const ShapeRequest& request : shapes) {
    const auto index = FindInput(names, request.name);
    if (!index) {
      throw std::invalid_argument("expected one of the inputs " + ServedNames(names.inputs) + ", received " +
                                  request.name);
    }
    const ov::Output<ov::Node> port = model.input(*index);
    wanted[port] = request.dimensions ? ToPartialShape(*request.dimensions)
                                      : ov::PartialShape::dynamic(port.get_partial_shape().rank());
  }
}

/// Where the layout has its N, else the first dimension (as OVMS 2026.2.1); a place behind `...` counts from the end.
std::ptrdiff_t BatchAxis(const ov::Output<ov::Node>& port) {
  const ov::Layout layout = ov::layout::get_layout(port);
  if (layout.empty() || !ov::layout::has_batch(layout)) return 0;
  const std::int64_t axis = ov::layout::batch_idx(layout);
  return axis < 0 ? 0 : axis;
}

/// Inputs without dimensions, or of unknown rank, have no batch.
void AddBatch(ov::Model& model, const DimensionRange& batch, WantedShapes& wanted) {
  for (const ov::Output<ov::Node>& port : model.inputs()) {
    ov::PartialShape shape = port.get_partial_shape();
    if (shape.rank().is_dynamic() || shape.size() == 0) continue;
    shape[BatchAxis(port)] = ov::Dimension(batch.first, batch.second);
    wanted[port] = shape;
  }
}

/// After the layouts, because shapes are given as clients see them (as OVMS 2026.2.1 does).
Status Reshape(ov::Model& model, const PortNames& names, const CompileSpecification& specification) {
  const auto& shapes = specification.shapes;
  const auto& batch = specification.batch;
  if (shapes.empty() && !batch) return Status::Ok();
  if (IsAmbiguous(model, shapes)) {
    return {StatusCode::kReshapeFailed, "Anonymous fixed shape is invalid for models with multiple inputs"};
  }
  return Guard(StatusCode::kReshapeFailed, [&] {
    WantedShapes wanted;
    if (batch) AddBatch(model, *batch, wanted);
    AddShapes(model, names, shapes, wanted);
    model.reshape(wanted);
  });
}

using ov::preprocess::ColorFormat;

struct KnownFormat {
  std::string_view name;
  ColorFormat format;
  /// A picture of one tensor, laid out as the model is.
  bool has_channels;
  /// What the inputs of planes are called behind the name of the input that they replace.
  std::vector<std::string> planes;
};

const KnownFormat& FindFormat(const std::string& name) {
  static const std::array<KnownFormat, 7> formats = {{
      {"RGB", ColorFormat::RGB, true, {}},
      {"BGR", ColorFormat::BGR, true, {}},
      {"GRAY", ColorFormat::GRAY, true, {}},
      {"NV12", ColorFormat::NV12_SINGLE_PLANE, false, {}},
      {"NV12_2", ColorFormat::NV12_TWO_PLANES, false, {"y", "uv"}},
      {"I420", ColorFormat::I420_SINGLE_PLANE, false, {}},
      {"I420_3", ColorFormat::I420_THREE_PLANES, false, {"y", "u", "v"}},
  }};
  const auto* const found =
      std::find_if(formats.begin(), formats.end(), [&name](const KnownFormat& known) { return known.name == name; });
  if (found == formats.end()) throw std::invalid_argument("color format " + name + " is unknown");
  return *found;
}

template <typename Step>
void AddNumbers(const std::vector<float>& numbers, Step step) {
  if (numbers.size() == 1) step(numbers.front());
  if (numbers.size() > 1) step(numbers);
}

/// OpenVINO takes every colored tensor for NHWC unless told otherwise; planes always are.
void AddColor(ov::preprocess::InputInfo& input, const ov::Layout& layout, const ConversionRequest& color) {
  const KnownFormat& sent = FindFormat(color.tensor);
  if (sent.has_channels && !layout.empty()) input.tensor().set_layout(layout);
  input.tensor().set_color_format(sent.format, sent.planes);
  input.preprocess().convert_color(FindFormat(color.model).format);
}

/// Planes of a picture are joined by the color conversion, so it comes first; mean and scale want the model's elements.
void AddSteps(ov::preprocess::InputInfo& input, const ov::Layout& layout, const PreprocessingRequest& request) {
  if (request.color) AddColor(input, layout, *request.color);
  if (request.element_type) {
    input.tensor().set_element_type(ov::element::Type(request.element_type->tensor));
    input.preprocess().convert_element_type(ov::element::Type(request.element_type->model));
  }
  AddNumbers(request.mean, [&input](const auto& mean) { input.preprocess().mean(mean); });
  AddNumbers(request.scale, [&input](const auto& scale) { input.preprocess().scale(scale); });
}

/// After the layouts: channels are where clients have them. Every input is treated alike.
Status Preprocess(std::shared_ptr<ov::Model>& model, const PreprocessingRequest& request) {
  if (request.empty()) return Status::Ok();
  return Guard(StatusCode::kPreprocessingFailed, [&] {
    ov::preprocess::PrePostProcessor processor(model);
    for (std::size_t index = 0; index < model->inputs().size(); ++index) {
      AddSteps(processor.input(index), ov::layout::get_layout(model->input(index)), request);
    }
    model = processor.build();
  });
}

/// Last before compiling: only loops of known length can be taken apart.
Status TakeLoopsApart(const std::shared_ptr<ov::Model>& model, const std::optional<StatefulRequest>& stateful) {
  if (!stateful || !stateful->low_latency) return Status::Ok();
  Status status = Guard(StatusCode::kInternal, [&] { ov::pass::LowLatency2().run_on_model(model); });
  return status.ok() ? status : std::move(status).At("low latency transformation");
}

bool IsOpen(const DimensionRange& range) { return range.first != range.second; }

/// The shapes are those of the file. Named twice, because planes of pictures take the place of an input.
Status Read(ov::Core& core, const CompileSpecification& specification, PreparedModel& prepared) {
  auto& source = prepared.source;
  Status status = Guard(StatusCode::kReadFailed, [&] {
    source = core.read_model(specification.path, {}, Unmapped());
    EmptyIdleLoops(*source);
  });
  if (!status.ok()) return status;
  const PortNames names = NamePorts(*source, specification.mapping);
  if (status = ArrangeLayouts(source, names, specification.layouts); !status.ok()) return status;
  if (status = Preprocess(source, specification.preprocessing); !status.ok()) return status;
  prepared.names = NamePorts(*source, specification.mapping);
  return CheckNames(prepared.names, specification.mapping);
}

}  // namespace

bool OpensShapes(const CompileSpecification& specification) {
  const auto opens = [](const ShapeRequest& request) {
    return !request.dimensions || std::any_of(request.dimensions->begin(), request.dimensions->end(), IsOpen);
  };
  return (specification.batch && IsOpen(*specification.batch)) ||
         std::any_of(specification.shapes.begin(), specification.shapes.end(), opens);
}

ov::AnyMap ToAnyMap(const CompileSpecification& specification) {
  ov::AnyMap map = Unmapped();
  for (const auto& [name, value] : specification.properties) {
    std::visit([&map, &key = name](const auto& plain) { map.emplace(key, plain); }, value);
  }
  return map;
}

Status Prepare(ov::Core& core, const CompileSpecification& specification, PreparedModel& prepared) {
  if (Status status = Read(core, specification, prepared); !status.ok()) return status;
  const auto& source = prepared.source;
  if (OpensShapes(specification)) prepared.usual = source->clone();
  if (Status status = Reshape(*source, prepared.names, specification); !status.ok()) return status;
  prepared.served = source;
  const auto& stateful = specification.stateful;
  if (specification.joined_rows || (stateful && stateful->low_latency)) prepared.served = source->clone();
  if (specification.joined_rows) {
    if (Status status = OpenBatch(*source, *specification.joined_rows); !status.ok()) return status;
  }
  return TakeLoopsApart(source, stateful);
}

}  // namespace vinery

#include "core/compiled_model.h"

#include <algorithm>
#include <array>
#include <map>
#include <openvino/core/layout.hpp>
#include <openvino/core/preprocess/pre_post_process.hpp>
#include <openvino/op/util/multi_subgraph_base.hpp>
#include <openvino/pass/low_latency.hpp>
#include <openvino/runtime/intel_cpu/properties.hpp>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "core/float_mode.h"
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

using WantedShapes = std::map<ov::Output<ov::Node>, ov::PartialShape>;

void AddShapes(ov::Model& model, const std::vector<ShapeRequest>& shapes, WantedShapes& wanted) {
  for (const ShapeRequest& request : shapes) {
    const ov::Output<ov::Node> port = request.name.empty() ? model.input() : model.input(request.name);
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
Status Reshape(ov::Model& model, const CompileSpecification& specification) {
  const auto& shapes = specification.shapes;
  const auto& batch = specification.batch;
  if (shapes.empty() && !batch) return Status::Ok();
  if (IsAmbiguous(model, shapes)) {
    return {StatusCode::kReshapeFailed, "Anonymous fixed shape is invalid for models with multiple inputs"};
  }
  return Guard(StatusCode::kReshapeFailed, [&] {
    WantedShapes wanted;
    if (batch) AddBatch(model, *batch, wanted);
    AddShapes(model, shapes, wanted);
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

/// The device that was asked for and those that are here, for whoever reads why a model cannot be compiled.
std::string DescribeDevice(const ov::Core& core, const std::string& device) {
  std::string here;
  const Status listed = Guard(StatusCode::kInternal, [&] {
    for (const auto& name : core.get_available_devices()) here += (here.empty() ? "" : ", ") + name;
  });
  return "device " + device + (listed.ok() ? " (here are: " + here + ")" : "");
}

/// Devices other than CPU do not know the property.
bool FlushesDenormals(const ov::CompiledModel& compiled) {
  const auto known = compiled.get_property(ov::supported_properties);
  const bool has = std::find(known.begin(), known.end(), ov::intel_cpu::denormals_optimization.name()) != known.end();
  return has && compiled.get_property(ov::intel_cpu::denormals_optimization);
}

/// Devices other than CPU have streams always, or do not tell.
bool HasNoStreams(const ov::CompiledModel& compiled) {
  const auto known = compiled.get_property(ov::supported_properties);
  const bool has = std::find(known.begin(), known.end(), ov::num_streams.name()) != known.end();
  return has && compiled.get_property(ov::num_streams) == ov::streams::Num(0);
}

}  // namespace

CompiledModel::CompiledModel(std::shared_ptr<ov::Core> core, ov::CompiledModel compiled, const ov::Model& source,
                             const ov::Model& served, std::shared_ptr<SequenceTable> sequences,
                             std::shared_ptr<ThreadPool> threads)
    : core_(std::move(core)),
      compiled_(std::move(compiled)),
      description_(Describe(compiled_, source)),
      flushes_denormals_(FlushesDenormals(compiled_)),
      sequences_(std::move(sequences)) {
  if (&served != &source) TakeShapes(description_, served);
  description_.may_fail_inside = MayFailInside(source);
  description_.has_state = !source.get_variables().empty();
  // Faults are lost where OpenVINO infers on the calling thread; a stream's thread reports them.
  if (!description_.may_fail_inside && HasNoStreams(compiled_)) threads_ = std::move(threads);
}

Status CompiledModel::Compile(const std::shared_ptr<ov::Core>& core, const std::shared_ptr<ThreadPool>& threads,
                              const CompileSpecification& specification, std::shared_ptr<const CompiledModel>& model) {
  std::shared_ptr<ov::Model> source;
  Status status = Guard(StatusCode::kReadFailed, [&] { source = core->read_model(specification.path); });
  if (!status.ok()) return status;
  if (status = ArrangeLayouts(source, specification.layouts); !status.ok()) return status;
  if (status = Preprocess(source, specification.preprocessing); !status.ok()) return status;
  if (status = Reshape(*source, specification); !status.ok()) return status;
  std::shared_ptr<const ov::Model> served = source;
  if (specification.joined_rows) {
    served = source->clone();
    if (status = OpenBatch(*source, *specification.joined_rows); !status.ok()) return status;
  }
  const auto& stateful = specification.stateful;
  if (status = TakeLoopsApart(source, stateful); !status.ok()) return status;
  const FloatMode kept;
  status = Guard(StatusCode::kCompileFailed, [&] {
    auto sequences = stateful ? std::make_shared<SequenceTable>(stateful->max_sequences) : nullptr;
    auto compiled = core->compile_model(source, specification.device, ToAnyMap(specification.properties));
    model = std::make_shared<const CompiledModel>(core, std::move(compiled), *source, *served, std::move(sequences),
                                                  threads);
  });
  return status.ok() ? status : std::move(status).At(DescribeDevice(*core, specification.device));
}

}  // namespace vinery

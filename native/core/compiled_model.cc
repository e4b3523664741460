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
#include <utility>
#include <vector>

#include "core/float_mode.h"
#include "core/open_batch.h"
#include "core/open_trial.h"
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

/// Sizes of dimensions that a model leaves open, where it is tried.
constexpr std::int64_t kTrialSize = 32;

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

Status CompileFor(ov::Core& core, const std::shared_ptr<ov::Model>& model, const std::string& device,
                  const ov::AnyMap& properties, ov::CompiledModel& compiled) {
  const FloatMode kept;
  return Guard(StatusCode::kCompileFailed, [&] { compiled = core.compile_model(model, device, properties); });
}

}  // namespace

CompiledModel::CompiledModel(std::shared_ptr<ov::Core> core, ov::CompiledModel compiled, const ov::Model& source,
                             const ov::Model& served, std::shared_ptr<SequenceTable> sequences,
                             std::shared_ptr<ShapeTable> shapes)
    : core_(std::move(core)),
      compiled_(std::move(compiled)),
      description_(Describe(compiled_, source)),
      flushes_denormals_(FlushesDenormals(compiled_)),
      sequences_(std::move(sequences)),
      shapes_(std::move(shapes)) {
  // Some compilations are for other shapes than requests have.
  if (&served != &source || shapes_ != nullptr) TakeShapes(description_, served);
  description_.may_fail_inside = MayFailInside(source);
  description_.has_state = !source.get_variables().empty();
}

void CompiledModel::BeginShapes(const InputShapes& first, std::string reason) {
  if (shapes_ == nullptr) return;
  description_.compiled_by_shape = std::move(reason);
  // The table alone says how long this compilation is used.
  shapes_->Begin(std::exchange(compiled_, {}), first);
}

namespace {

/// A model on its way to a compilation.
struct PreparedModel {
  std::shared_ptr<ov::Model> source;
  /// What requests see of it: the model before its batch was opened, else the source.
  std::shared_ptr<const ov::Model> served;
  /// With the shapes of its file; null unless the configuration opens them.
  std::shared_ptr<const ov::Model> usual;
};

bool IsOpen(const DimensionRange& range) { return range.first != range.second; }

/// Whether the configuration leaves sizes to requests. The reference compiles such a model for the sizes of a request.
bool OpensShapes(const CompileSpecification& specification) {
  const auto opens = [](const ShapeRequest& request) {
    return !request.dimensions || std::any_of(request.dimensions->begin(), request.dimensions->end(), IsOpen);
  };
  return (specification.batch && IsOpen(*specification.batch)) ||
         std::any_of(specification.shapes.begin(), specification.shapes.end(), opens);
}

/// Reads and arranges; the shapes are those of the file.
Status Read(ov::Core& core, const CompileSpecification& specification, std::shared_ptr<ov::Model>& source) {
  Status status = Guard(StatusCode::kReadFailed, [&] { source = core.read_model(specification.path); });
  if (!status.ok()) return status;
  if (status = ArrangeLayouts(source, specification.layouts); !status.ok()) return status;
  return Preprocess(source, specification.preprocessing);
}

/// Everything before the compilation.
Status Prepare(ov::Core& core, const CompileSpecification& specification, PreparedModel& prepared) {
  auto& source = prepared.source;
  if (Status status = Read(core, specification, source); !status.ok()) return status;
  if (OpensShapes(specification)) prepared.usual = source->clone();
  if (Status status = Reshape(*source, specification); !status.ok()) return status;
  prepared.served = source;
  if (specification.joined_rows) {
    prepared.served = source->clone();
    if (Status status = OpenBatch(*source, *specification.joined_rows); !status.ok()) return status;
  }
  return TakeLoopsApart(source, specification.stateful);
}

/// What a table of shapes compiles later: the model that was read, whatever has become of its files. OpenVINO shares
/// its constants, so keeping it costs no second copy of the weights.
ShapeSource LaterSource(std::shared_ptr<ov::Core> core, const CompileSpecification& specification,
                        std::shared_ptr<const ov::Model> model) {
  ShapeSource source;
  source.remake = [model = std::move(model)](std::shared_ptr<ov::Model>& again) {
    return Guard(StatusCode::kReadFailed, [&] { again = model->clone(); });
  };
  source.compile = [core, specification](const std::shared_ptr<ov::Model>& model, bool is_fixed,
                                         ov::CompiledModel& compiled) {
    ov::AnyMap properties = ToAnyMap(specification.properties);
    // Requests must not fill the disk.
    if (is_fixed) properties.erase(ov::cache_dir.name());
    return CompileFor(*core, model, specification.device, properties, compiled);
  };
  return source;
}

/// One compilation for given shapes.
struct FixedModel {
  InputShapes shapes;
  ov::CompiledModel compiled;
};

Status CompileFixed(const ShapeSource& source, const ov::Model& model, const InputShapes& shapes, FixedModel& fixed) {
  std::shared_ptr<ov::Model> fitted;
  if (Status status = FitShapes(model, shapes, fitted); !status.ok()) return status;
  fixed.shapes = shapes;
  return source.compile(fitted, true, fixed.compiled);
}

/// Why the rows of several requests must not be inferred together; empty when they may.
std::string TryJoined(const ShapeSource& source, const PreparedModel& prepared, const ov::CompiledModel& open,
                      std::uint32_t most_rows) {
  if (std::string reason = FindOtherwiseComputed(*prepared.source); !reason.empty()) {
    return "expected operations that answer joined requests as single ones, received " + reason;
  }
  const auto shapes = TrialShapes(*prepared.served, 1, kTrialSize);
  if (!shapes) return "expected a model that can be tried, received one that takes no invented shapes";
  FixedModel fixed;
  if (Status status = CompileFixed(source, *prepared.served, *shapes, fixed); !status.ok()) return status.text();
  const std::size_t rows = std::max<std::size_t>(shapes->front().front(), 1);
  const std::size_t most = most_rows / rows;
  for (const std::size_t count : {std::size_t{1}, std::size_t{2}, std::size_t{3}, most}) {
    if (count > most) continue;
    if (std::string reason = CompareAnswers(open, fixed.compiled, *shapes, count); !reason.empty()) return reason;
  }
  return {};
}

/// The shapes of the file where they are fixed and the configuration allows them, else invented ones.
std::optional<InputShapes> UsualShapes(const PreparedModel& prepared) {
  const auto inputs = prepared.usual->inputs();
  const bool is_fixed =
      std::all_of(inputs.begin(), inputs.end(), [](const auto& port) { return port.get_partial_shape().is_static(); });
  if (!is_fixed) return TrialShapes(*prepared.source, 1, kTrialSize);
  InputShapes shapes;
  for (std::size_t index = 0; index < inputs.size(); ++index) {
    shapes.push_back(inputs[index].get_shape());
    if (!prepared.source->input(index).get_partial_shape().compatible(shapes.back())) {
      return TrialShapes(*prepared.source, 1, kTrialSize);
    }
  }
  return shapes;
}

/// Three rows where their number is open, else twice the sizes that are.
InputShapes OtherShapes(const ov::Model& model, const InputShapes& shapes) {
  InputShapes others = shapes;
  for (std::size_t index = 0; index < shapes.size(); ++index) {
    const ov::PartialShape partial = model.input(index).get_partial_shape();
    if (partial.size() > 0 && partial[0].is_dynamic()) {
      others[index][0] = 3;
      continue;
    }
    for (std::size_t axis = 1; axis < partial.size(); ++axis) {
      if (partial[axis].is_dynamic()) others[index][axis] *= 2;
    }
  }
  return others;
}

/// Why every combination of shapes must be compiled by itself; empty when one compilation answers all of them as
/// compilations for each would. @param fixed the first of these where there is one.
std::string TryOpened(const ShapeSource& source, const PreparedModel& prepared, const ov::CompiledModel& open,
                      FixedModel& fixed) {
  const auto shapes = UsualShapes(prepared);
  if (!shapes) return "no invented shapes are taken";
  if (Status status = CompileFixed(source, *prepared.source, *shapes, fixed); !status.ok()) return status.text();
  if (std::string reason = FindOtherwiseComputed(*prepared.source); !reason.empty()) return reason;
  if (!open) return "open shapes cannot be compiled";
  if (std::string reason = CompareAnswers(open, fixed.compiled, *shapes, 1); !reason.empty()) return reason;
  FixedModel other;
  const InputShapes others = OtherShapes(*prepared.source, *shapes);
  if (!CompileFixed(source, *prepared.source, others, other).ok()) return {};
  return CompareAnswers(open, other.compiled, others, 1);
}

}  // namespace

Status CompiledModel::Compile(const std::shared_ptr<ov::Core>& core, const CompileSpecification& specification,
                              const std::weak_ptr<ShapeThreads>& threads, std::shared_ptr<const CompiledModel>& model) {
  PreparedModel prepared;
  if (Status status = Prepare(*core, specification, prepared); !status.ok()) return status;
  const std::shared_ptr<ov::Model>& source = prepared.source;
  ShapeSource later = LaterSource(core, specification, source);
  const bool remembers = specification.stateful || !source->get_variables().empty();
  const bool is_tried =
      OpensShapes(specification) && HasOpenInputs(*source) && !remembers && !specification.joined_rows;
  ov::CompiledModel compiled;
  Status status = CompileFor(*core, source, specification.device, ToAnyMap(specification.properties), compiled);
  if (!status.ok() && !is_tried) return std::move(status).At(DescribeDevice(*core, specification.device));
  if (specification.joined_rows) {
    std::string reason = TryJoined(later, prepared, compiled, *specification.joined_rows);
    if (!reason.empty()) return {StatusCode::kNotJoined, std::move(reason)};
  }
  FixedModel fixed;
  std::string reason = is_tried ? TryOpened(later, prepared, compiled, fixed) : std::string();
  if (!reason.empty() && fixed.compiled) {
    later.is_fixed = true;
    compiled = fixed.compiled;
  } else if (!status.ok()) {
    return std::move(status).At(DescribeDevice(*core, specification.device));
  }
  return Guard(StatusCode::kCompileFailed, [&] {
    auto sequences =
        specification.stateful ? std::make_shared<SequenceTable>(specification.stateful->max_sequences) : nullptr;
    std::shared_ptr<ShapeTable> shapes;
    if (HasOpenInputs(*source)) {
      auto told = later.is_fixed ? source : WithoutWeights(*source);
      shapes = std::make_shared<ShapeTable>(std::move(told), std::move(later), threads);
    }
    auto made = std::make_shared<CompiledModel>(core, std::move(compiled), *source, *prepared.served,
                                                std::move(sequences), std::move(shapes));
    made->BeginShapes(fixed.shapes, std::move(reason));
    model = std::move(made);
  });
}

}  // namespace vinery

#include "core/compiled_model.h"

#include <algorithm>
#include <openvino/runtime/intel_cpu/properties.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/data_faults.h"
#include "core/empty_inputs.h"
#include "core/float_mode.h"
#include "core/model_preparation.h"
#include "core/open_trial.h"
#include "core/openvino_fault.h"
#include "core/passed_inputs.h"
#include "core/value_guards.h"

namespace vinery {
namespace {

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

/// Devices other than CPU have streams always, or do not tell.
bool HasNoStreams(const ov::CompiledModel& compiled) {
  const auto known = compiled.get_property(ov::supported_properties);
  const bool has = std::find(known.begin(), known.end(), ov::num_streams.name()) != known.end();
  return has && compiled.get_property(ov::num_streams) == ov::streams::Num(0);
}

/// Plug-ins of other devices do not know the operation that checks values.
bool IsOnCpu(const ov::Core& core, const std::string& device) {
  if (device.compare(0, 3, "CPU") == 0) return true;
  const auto here = core.get_available_devices();
  return std::all_of(here.begin(), here.end(), [](const auto& name) { return name.compare(0, 3, "CPU") == 0; });
}

Status CompileFor(ov::Core& core, const std::shared_ptr<ov::Model>& model, const std::string& device,
                  const ov::AnyMap& properties, GuardedModel& guarded) {
  const FloatMode kept;
  return Guard(StatusCode::kCompileFailed, [&] {
    guarded = CompileGuarded(core, IsOnCpu(core, device) ? GuardValues(model) : model, device, properties);
  });
}

/// Where requests choose sizes, each of their shapes is looked at instead.
std::string FindStarvedOfFile(const ov::Model& model) {
  return HasOpenInputs(model) ? std::string() : FindStarved(model);
}

/// What a table of shapes compiles later: the model that was read, whatever has become of its files.
ShapeSource LaterSource(const std::shared_ptr<ov::Core>& core, const CompileSpecification& specification,
                        std::shared_ptr<const ov::Model> model) {
  ShapeSource source;
  source.remake = [model = std::move(model)](std::shared_ptr<ov::Model>& again) {
    return Guard(StatusCode::kReadFailed, [&] { again = model->clone(); });
  };
  source.compile = [core, specification](const std::shared_ptr<ov::Model>& model, bool is_fixed,
                                         ov::CompiledModel& compiled) {
    ov::AnyMap properties = ToAnyMap(specification);
    // Requests must not fill the disk.
    if (is_fixed) properties.erase(ov::cache_dir.name());
    GuardedModel guarded;
    Status status = CompileFor(*core, model, specification.device, properties, guarded);
    compiled = std::move(guarded.compiled);
    return status;
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
  if (const std::string reason = FindOtherwiseComputed(*prepared.source); !reason.empty()) {
    return "expected operations that answer joined requests as single ones, received " + reason;
  }
  if (const std::string reason = FindPassedInput(*prepared.source, open); !reason.empty()) {
    return "expected operations between each input and output, received a model where " + reason;
  }
  const auto shapes = TrialShapes(*prepared.served, 1, kTrialSize);
  if (!shapes) return "expected a model that can be tried, received one that takes no invented shapes";
  FixedModel fixed;
  if (const Status status = CompileFixed(source, *prepared.served, *shapes, fixed); !status.ok()) return status.text();
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
    for (std::ptrdiff_t axis = 1; axis < static_cast<std::ptrdiff_t>(partial.size()); ++axis) {
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
  if (const Status status = CompileFixed(source, *prepared.source, *shapes, fixed); !status.ok()) return status.text();
  if (std::string reason = FindOtherwiseComputed(*prepared.source); !reason.empty()) return reason;
  if (!open) return "open shapes cannot be compiled";
  if (std::string reason = FindPassedInput(*prepared.source, open); !reason.empty()) return reason;
  if (std::string reason = CompareAnswers(open, fixed.compiled, *shapes, 1); !reason.empty()) return reason;
  FixedModel other;
  const InputShapes others = OtherShapes(*prepared.source, *shapes);
  if (!CompileFixed(source, *prepared.source, others, other).ok()) return {};
  return CompareAnswers(open, other.compiled, others, 1);
}

/// As `TryOpened` for what is not tried, such as open dimensions of the file: nothing is inferred.
std::string LookAtOpened(const ShapeSource& source, const ov::Model& model, const ov::CompiledModel& open,
                         FixedModel& fixed) {
  std::string reason = FindPassedInput(model, open);
  if (reason.empty()) return reason;
  const auto shapes = TrialShapes(model, 1, kTrialSize);
  // Without one the first request has the first one compiled.
  if (shapes) static_cast<void>(CompileFixed(source, model, *shapes, fixed).ok());
  return reason;
}

}  // namespace

CompiledModel::CompiledModel(std::shared_ptr<ov::Core> core, GuardedModel guarded, const ov::Model& source,
                             const ov::Model& served, const PortNames& names, std::shared_ptr<SequenceTable> sequences,
                             std::shared_ptr<ShapeTable> shapes, std::shared_ptr<ThreadPool> threads)
    : core_(std::move(core)),
      compiled_(std::move(guarded.compiled)),
      description_(Describe(compiled_, served, names)),
      flushes_denormals_(FlushesDenormals(compiled_)),
      sequences_(std::move(sequences)),
      shapes_(std::move(shapes)) {
  // Some compilations are for other shapes than requests have.
  if (&served != &source || HasOpenInputs(source)) TakeShapes(description_, served);
  description_.may_fail_inside = MayFailByData(source);
  description_.needs_elements = NeedsElements(source);
  description_.has_state = !source.get_variables().empty();
  description_.shared_constants = guarded.shared_constants;
  // Faults are lost where OpenVINO infers on the calling thread; a stream's thread reports them.
  if (!description_.may_fail_inside && HasNoStreams(compiled_)) threads_ = std::move(threads);
}

void CompiledModel::BeginShapes(const InputShapes& first, std::string reason) {
  if (shapes_ == nullptr) return;
  description_.compiled_by_shape = std::move(reason);
  // The table alone says how long this compilation is used.
  shapes_->Begin(std::exchange(compiled_, {}), first);
}

Status CompiledModel::Compile(const std::shared_ptr<ov::Core>& core, const ModelThreads& threads,
                              const CompileSpecification& specification, std::shared_ptr<const CompiledModel>& model) {
  PreparedModel prepared;
  if (Status status = Prepare(*core, specification, prepared); !status.ok()) return status;
  const std::shared_ptr<ov::Model>& source = prepared.source;
  if (std::string starved = FindStarvedOfFile(*source); !starved.empty()) {
    return {StatusCode::kCompileFailed, std::move(starved)};
  }
  ShapeSource later = LaterSource(core, specification, source);
  const bool remembers = specification.stateful || !source->get_variables().empty();
  const bool is_open = HasOpenInputs(*source);
  const bool is_tried = OpensShapes(specification) && is_open && !remembers && !specification.joined_rows;
  GuardedModel guarded;
  Status status = CompileFor(*core, source, specification.device, ToAnyMap(specification), guarded);
  if (!status.ok() && !is_tried) return std::move(status).At(DescribeDevice(*core, specification.device));
  if (specification.joined_rows) {
    std::string reason = TryJoined(later, prepared, guarded.compiled, *specification.joined_rows);
    if (!reason.empty()) return {StatusCode::kNotJoined, std::move(reason)};
  }
  FixedModel fixed;
  std::string reason = is_tried ? TryOpened(later, prepared, guarded.compiled, fixed)
                                : LookAtOpened(later, *source, guarded.compiled, fixed);
  // Compiled by shape, a state that no sequence carries would stay with the shapes that made it.
  if (!reason.empty() && remembers && !specification.stateful) return {StatusCode::kCompileFailed, std::move(reason)};
  later.is_fixed = !reason.empty() || !is_open;
  if (later.is_fixed && fixed.compiled) guarded.compiled = fixed.compiled;
  if (!is_open) fixed.shapes = FixedInputs(*source);
  if (!guarded.compiled) return std::move(status).At(DescribeDevice(*core, specification.device));
  return Guard(StatusCode::kCompileFailed, [&] {
    auto sequences =
        specification.stateful ? std::make_shared<SequenceTable>(specification.stateful->max_sequences) : nullptr;
    std::shared_ptr<ShapeTable> shapes;
    if (is_open || !IsStaticInside(*source)) {
      auto told = later.is_fixed ? source : WithoutWeights(*source);
      shapes = std::make_shared<ShapeTable>(std::move(told), std::move(later), threads.shapes);
    }
    auto made = std::make_shared<CompiledModel>(core, std::move(guarded), *source, *prepared.served, prepared.names,
                                                std::move(sequences), std::move(shapes), threads.inference);
    made->BeginShapes(fixed.shapes, std::move(reason));
    model = std::move(made);
  });
}

}  // namespace vinery

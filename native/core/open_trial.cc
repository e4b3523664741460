#include "core/open_trial.h"

#include <algorithm>
#include <cstring>
#include <openvino/op/constant.hpp>
#include <openvino/op/fake_quantize.hpp>
#include <openvino/op/gru_sequence.hpp>
#include <openvino/op/lstm_sequence.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/result.hpp>
#include <openvino/op/rnn_sequence.hpp>
#include <openvino/op/util/shape_of_base.hpp>
#include <openvino/runtime/infer_request.hpp>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/float_mode.h"
#include "core/openvino_fault.h"
#include "core/seeded_tensor.h"

namespace vinery {
namespace {

bool IsNarrow(const ov::element::Type& type) { return type.is_integral_number() && type.bitwidth() <= 16; }

bool HasNarrowOutput(const ov::Node& operation) {
  const auto outputs = operation.outputs();
  return std::any_of(outputs.begin(), outputs.end(),
                     [](const auto& port) { return IsNarrow(port.get_element_type()); });
}

/// What hands elements on as they are.
bool MovesOnly(const ov::Node& operation) {
  static const std::unordered_set<std::string> names = {
      "Parameter", "Result",    "Transpose", "Reshape",       "Squeeze",      "Unsqueeze",
      "Gather",    "Concat",    "Split",     "VariadicSplit", "StridedSlice", "Slice",
      "Tile",      "Broadcast", "Reverse",   "DepthToSpace",  "SpaceToDepth", "ShuffleChannels"};
  return names.count(operation.get_type_name()) != 0;
}

/// Where the rows or the steps of a recurrent operation are open, the CPU plug-in takes all steps, whatever their
/// lengths say (2026.4.1).
/// @param whole what is made of shapes: such lengths are all steps.
bool IgnoresLengths(const ov::Node& operation, const std::unordered_set<const ov::Node*>& whole) {
  const bool is_sequence = ov::is_type<ov::op::v5::LSTMSequence>(&operation) ||
                           ov::is_type<ov::op::v5::GRUSequence>(&operation) ||
                           ov::is_type<ov::op::v5::RNNSequence>(&operation);
  if (!is_sequence || operation.get_input_partial_shape(0).is_static()) return false;
  const std::size_t lengths = ov::is_type<ov::op::v5::LSTMSequence>(&operation) ? 3 : 2;
  return whole.count(operation.get_input_node_ptr(lengths)) == 0;
}

std::string Title(const ov::Node& operation) {
  return std::string(operation.get_type_name()) + " " + operation.get_friendly_name();
}

std::optional<InputShapes> ShapesOf(const ov::Model& model, std::int64_t rows, std::int64_t size) {
  InputShapes shapes;
  for (const auto& input : model.inputs()) {
    const ov::PartialShape& partial = input.get_partial_shape();
    if (partial.rank().is_dynamic()) return std::nullopt;
    ov::Shape shape;
    for (std::ptrdiff_t axis = 0; axis < static_cast<std::ptrdiff_t>(partial.size()); ++axis) {
      const auto& bounds = partial[axis].get_interval();
      const std::int64_t wanted = axis == 0 ? rows : size;
      shape.push_back(static_cast<std::size_t>(
          std::clamp(wanted, std::max<std::int64_t>(bounds.get_min_val(), 0), bounds.get_max_val())));
    }
    shapes.push_back(std::move(shape));
  }
  return shapes;
}

using Tensors = std::vector<ov::Tensor>;

/// Inputs of an element type without numbers are zeros.
Tensors Invent(const ov::CompiledModel& compiled, const InputShapes& shapes, std::size_t seed) {
  Tensors tensors;
  for (std::size_t input = 0; input < shapes.size(); ++input) {
    ov::Tensor& tensor = tensors.emplace_back(compiled.input(input).get_element_type(), shapes[input]);
    if (FillSeeded(tensor, static_cast<std::uint32_t>(seed), input) || tensor.get_byte_size() == 0) continue;
    std::memset(tensor.data(), 0, tensor.get_byte_size());
  }
  return tensors;
}

ov::Tensor Copy(const ov::Tensor& tensor) {
  ov::Tensor copy(tensor.get_element_type(), tensor.get_shape());
  if (tensor.get_size() > 0) tensor.copy_to(copy);
  return copy;
}

/// Nothing when the inference fails.
std::optional<Tensors> Answer(ov::InferRequest& request, const ov::CompiledModel& compiled, const Tensors& inputs) {
  Tensors outputs;
  const Status status = Guard(StatusCode::kInferenceFailed, [&] {
    for (std::size_t index = 0; index < inputs.size(); ++index)
      request.set_tensor(compiled.input(index), inputs[index]);
    // Not `infer`, which hides failures on a stream of one thread.
    request.start_async();
    request.wait();
    for (const auto& output : compiled.outputs()) outputs.push_back(Copy(request.get_tensor(output)));
  });
  return status.ok() ? std::optional(std::move(outputs)) : std::nullopt;
}

bool SameElements(const ov::Tensor& all, std::size_t part, const ov::Tensor& one) {
  if (one.get_size() == 0) return true;
  if (one.get_element_type() == ov::element::string) {
    const auto* expected = one.data<const std::string>();
    return std::equal(expected, expected + one.get_size(), all.data<const std::string>() + part * one.get_size());
  }
  const auto* bytes = static_cast<const std::uint8_t*>(all.data());
  return std::memcmp(bytes + part * one.get_byte_size(), one.data(), one.get_byte_size()) == 0;
}

/// @param parts the answers that `joined` must have, one after the other.
bool SameAnswers(const Tensors& joined, const std::vector<Tensors>& parts) {
  for (std::size_t output = 0; output < joined.size(); ++output) {
    ov::Shape shape = parts.front()[output].get_shape();
    if (parts.size() > 1 && shape.empty()) return false;
    if (parts.size() > 1) shape[0] *= parts.size();
    if (joined[output].get_shape() != shape) return false;
    for (std::size_t part = 0; part < parts.size(); ++part) {
      if (!SameElements(joined[output], part, parts[part][output])) return false;
    }
  }
  return true;
}

ov::Tensor Join(const std::vector<Tensors>& parts, std::size_t input) {
  if (parts.size() == 1) return parts.front()[input];
  const ov::Tensor& first = parts.front()[input];
  ov::Shape shape = first.get_shape();
  shape[0] *= parts.size();
  ov::Tensor joined(first.get_element_type(), shape);
  for (std::size_t part = 0; part < parts.size(); ++part) {
    std::memcpy(static_cast<std::uint8_t*>(joined.data()) + part * first.get_byte_size(), parts[part][input].data(),
                first.get_byte_size());
  }
  return joined;
}

}  // namespace

std::string FindOtherwiseComputed(const ov::Model& model) {
  std::unordered_set<const ov::Node*> constant;
  std::unordered_set<const ov::Node*> of_shapes;
  for (const auto& operation : model.get_ordered_ops()) {
    const auto inputs = operation->input_values();
    const bool is_constant = ov::is_type<ov::op::v0::Constant>(operation) ||
                             (!inputs.empty() && std::all_of(inputs.begin(), inputs.end(), [&](const auto& value) {
                               return constant.count(value.get_node()) != 0;
                             }));
    if (is_constant) {
      constant.insert(operation.get());
      continue;
    }
    const bool is_of_shapes = ov::is_type<ov::op::util::ShapeOfBase>(operation) ||
                              (!inputs.empty() && std::all_of(inputs.begin(), inputs.end(), [&](const auto& value) {
                                return constant.count(value.get_node()) != 0 || of_shapes.count(value.get_node()) != 0;
                              }));
    if (is_of_shapes) of_shapes.insert(operation.get());
    if (IgnoresLengths(*operation, of_shapes)) return Title(*operation);
    if (ov::is_type<ov::op::v0::FakeQuantize>(operation)) return Title(*operation);
    if (HasNarrowOutput(*operation) && !MovesOnly(*operation)) return Title(*operation);
  }
  return {};
}

std::optional<InputShapes> TrialShapes(const ov::Model& model, std::int64_t rows, std::int64_t size) {
  for (const std::int64_t tried :
       {size, std::int64_t{64}, std::int64_t{224}, std::int64_t{8}, std::int64_t{3}, std::int64_t{1}}) {
    const auto shapes = ShapesOf(model, rows, tried);
    std::shared_ptr<ov::Model> fitted;
    if (shapes && FitShapes(model, *shapes, fitted).ok()) return shapes;
  }
  return std::nullopt;
}

std::string CompareAnswers(const ov::CompiledModel& open, const ov::CompiledModel& fixed, const InputShapes& shapes,
                           std::size_t count) {
  std::string text;
  std::uint32_t answered = 0;
  const FloatMode kept;
  const Status status = Guard(StatusCode::kInferenceFailed, [&] {
    ov::InferRequest by_open = ov::CompiledModel(open).create_infer_request();
    ov::InferRequest by_fixed = ov::CompiledModel(fixed).create_infer_request();
    for (std::uint32_t kind = 0; kind < kSeedKinds && text.empty(); ++kind) {
      std::vector<Tensors> asked;
      std::vector<Tensors> expected;
      for (std::size_t part = 0; part < count; ++part) {
        const Tensors& inputs = asked.emplace_back(Invent(fixed, shapes, kind + kSeedKinds * part));
        auto answer = Answer(by_fixed, fixed, inputs);
        if (!answer) break;
        expected.push_back(std::move(*answer));
      }
      // What the model does not take with fixed shapes tells nothing of open ones.
      if (expected.size() < count) continue;
      Tensors joined;
      for (std::size_t index = 0; index < shapes.size(); ++index) joined.push_back(Join(asked, index));
      const auto received = Answer(by_open, open, joined);
      if (!received) {
        text = "what fixed shapes answer fails with open ones";
      } else if (!SameAnswers(*received, expected)) {
        text = count == 1 ? "answers differ from those of fixed shapes"
                          : "answers to joined requests differ from those to single ones";
      }
      ++answered;
    }
  });
  if (!status.ok()) return status.text();
  return text.empty() && answered == 0 ? "no invented input was answered" : text;
}

}  // namespace vinery

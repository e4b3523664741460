#include "core/operation_check.h"

#include <algorithm>
#include <openvino/core/shape.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/fake_quantize.hpp>
#include <openvino/op/gather_nd.hpp>
#include <openvino/op/gru_cell.hpp>
#include <openvino/op/gru_sequence.hpp>
#include <openvino/op/lstm_cell.hpp>
#include <openvino/op/lstm_sequence.hpp>
#include <openvino/op/prelu.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/rnn_cell.hpp>
#include <openvino/op/rnn_sequence.hpp>
#include <openvino/op/topk.hpp>
#include <openvino/op/util/gather_nd_base.hpp>
#include <openvino/op/util/multi_subgraph_base.hpp>
#include <openvino/op/util/pad_base.hpp>
#include <openvino/op/util/rnn_cell_base.hpp>
#include <openvino/op/util/topk_base.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace vinery {
namespace {

[[noreturn]] void Refuse(const ov::Node& operation, const std::string& expected, const std::string& received) {
  throw std::invalid_argument(std::string(operation.get_type_name()) + " " + operation.get_friendly_name() +
                              ": expected " + expected + ", received " + received);
}

std::optional<ov::Shape> InputShape(const ov::Node& operation, std::size_t input) {
  const ov::PartialShape& shape = operation.get_input_partial_shape(input);
  return shape.is_static() ? std::optional(shape.to_shape()) : std::nullopt;
}

/// Numbers of an input that are known before the inference; nothing of those that are not.
std::vector<std::int64_t> KnownNumbers(const ov::Node& operation, std::size_t input) {
  const auto constant = ov::as_type_ptr<ov::op::v0::Constant>(operation.get_input_node_shared_ptr(input));
  return constant == nullptr ? std::vector<std::int64_t>() : constant->cast_vector<std::int64_t>();
}

void CheckReshape(const ov::Node& operation) {
  const auto from = InputShape(operation, 0);
  const ov::PartialShape& to = operation.get_output_partial_shape(0);
  if (!from || to.is_dynamic() || ov::shape_size(*from) == ov::shape_size(to.to_shape())) return;
  Refuse(operation, "as many elements as " + to.to_string() + " has", from->to_string());
}

/// @param weights the input with the matrix that a step is multiplied with.
void CheckRecurrent(const ov::Node& operation, std::size_t weights) {
  const auto steps = InputShape(operation, 0);
  const auto matrix = InputShape(operation, weights);
  const auto state = InputShape(operation, 1);
  if (steps && matrix && !steps->empty() && !matrix->empty() && steps->back() != matrix->back()) {
    Refuse(operation, std::to_string(matrix->back()) + " elements a step", steps->to_string());
  }
  if (steps && state && !steps->empty() && !state->empty() && steps->front() != state->front()) {
    Refuse(operation, "a batch of " + std::to_string(state->front()) + ", as the state has", steps->to_string());
  }
}

void CheckSequence(const ov::Node& operation, std::size_t lengths) {
  CheckRecurrent(operation, lengths + 1);
  const auto steps = InputShape(operation, 0);
  if (!steps || steps->size() < 2) return;
  const auto longest = static_cast<std::int64_t>((*steps)[1]);
  for (const std::int64_t length : KnownNumbers(operation, lengths)) {
    if (length > longest) Refuse(operation, std::to_string(length) + " steps", steps->to_string());
  }
}

/// Slopes are one, one a channel, or such as NumPy broadcasts.
void CheckSlopes(const ov::Node& operation) {
  const auto data = InputShape(operation, 0);
  const auto slopes = InputShape(operation, 1);
  if (!data || !slopes || ov::shape_size(*slopes) == 1) return;
  const bool is_by_channel = slopes->size() == 1 && data->size() > 1 && (*data)[1] == slopes->front();
  ov::PartialShape merged(*data);
  const bool is_broadcast =
      ov::PartialShape::broadcast_merge_into(merged, ov::PartialShape(*slopes), ov::op::AutoBroadcastType::NUMPY) &&
      merged == ov::PartialShape(*data);
  if (!is_by_channel && !is_broadcast) Refuse(operation, "data for slopes " + slopes->to_string(), data->to_string());
}

/// Limits are spread over the data, never the data over the limits.
void CheckLimits(const ov::Node& operation) {
  const auto data = InputShape(operation, 0);
  for (std::size_t input = 1; data && input < operation.get_input_size(); ++input) {
    const auto limits = InputShape(operation, input);
    if (!limits) continue;
    ov::PartialShape merged(*data);
    const bool fits =
        ov::PartialShape::broadcast_merge_into(merged, ov::PartialShape(*limits), ov::op::AutoBroadcastType::NUMPY);
    if (fits && merged == ov::PartialShape(*data)) continue;
    Refuse(operation, "data for limits " + limits->to_string(), data->to_string());
  }
}

std::int64_t SizeAt(const ov::Shape& shape, std::size_t axis) {
  return static_cast<std::int64_t>(shape[static_cast<std::ptrdiff_t>(axis)]);
}

void CheckLargest(const ov::op::util::TopKBase& operation) {
  const auto data = InputShape(operation, 0);
  const auto counts = KnownNumbers(operation, 1);
  if (!data || counts.empty()) return;
  const auto axis = static_cast<std::ptrdiff_t>(operation.get_axis());
  if (axis < static_cast<std::ptrdiff_t>(data->size()) && counts.front() > static_cast<std::int64_t>((*data)[axis])) {
    Refuse(operation, std::to_string(counts.front()) + " elements along axis " + std::to_string(axis),
           data->to_string());
  }
}

void CheckPads(const ov::op::util::PadBase& operation) {
  const auto data = InputShape(operation, 0);
  const auto begins = KnownNumbers(operation, 1);
  const auto ends = KnownNumbers(operation, 2);
  if (!data || begins.size() != data->size() || ends.size() != data->size()) return;
  for (std::size_t axis = 0; axis < data->size(); ++axis) {
    if (SizeAt(*data, axis) + begins[axis] + ends[axis] >= 0) continue;
    Refuse(operation, "at least what is cut off of axis " + std::to_string(axis), data->to_string());
  }
}

void CheckPlaces(const ov::op::util::GatherNDBase& operation) {
  const auto data = InputShape(operation, 0);
  const auto places = InputShape(operation, 1);
  const auto numbers = KnownNumbers(operation, 1);
  if (!data || !places || places->empty() || numbers.empty()) return;
  const std::size_t depth = places->back();
  const std::size_t first = operation.get_batch_dims();
  for (std::size_t index = 0; index < numbers.size(); ++index) {
    const std::size_t axis = first + index % depth;
    const std::int64_t size = axis < data->size() ? SizeAt(*data, axis) : 0;
    if (numbers[index] >= -size && numbers[index] < size) continue;
    Refuse(operation, "an element " + std::to_string(numbers[index]) + " along axis " + std::to_string(axis),
           data->to_string());
  }
}

void CheckOperation(const ov::Node& operation) {
  if (ov::is_type<ov::op::v1::Reshape>(&operation)) return CheckReshape(operation);
  if (ov::is_type<ov::op::v0::PRelu>(&operation)) return CheckSlopes(operation);
  if (ov::is_type<ov::op::v0::FakeQuantize>(&operation)) return CheckLimits(operation);
  if (ov::is_type<ov::op::v5::LSTMSequence>(&operation)) return CheckSequence(operation, 3);
  if (ov::is_type<ov::op::v5::GRUSequence>(&operation)) return CheckSequence(operation, 2);
  if (ov::is_type<ov::op::v5::RNNSequence>(&operation)) return CheckSequence(operation, 2);
  if (ov::is_type<ov::op::v0::LSTMCell>(&operation)) return CheckRecurrent(operation, 3);
  if (ov::is_type<ov::op::v4::LSTMCell>(&operation)) return CheckRecurrent(operation, 3);
  if (ov::is_type<ov::op::v3::GRUCell>(&operation)) return CheckRecurrent(operation, 2);
  if (ov::is_type<ov::op::v0::RNNCell>(&operation)) return CheckRecurrent(operation, 2);
  if (const auto* largest = dynamic_cast<const ov::op::util::TopKBase*>(&operation)) return CheckLargest(*largest);
  if (const auto* pad = dynamic_cast<const ov::op::util::PadBase*>(&operation)) return CheckPads(*pad);
  if (const auto* gather = dynamic_cast<const ov::op::util::GatherNDBase*>(&operation)) return CheckPlaces(*gather);
}

}  // namespace

void CheckOperations(const ov::Model& model) {
  for (const auto& operation : model.get_ops()) {
    CheckOperation(*operation);
    if (const auto* outer = dynamic_cast<const ov::op::util::MultiSubGraphOp*>(operation.get())) {
      for (const auto& body : outer->get_functions()) CheckOperations(*body);
    }
  }
}

}  // namespace vinery

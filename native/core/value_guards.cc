#include "core/value_guards.h"

#include <algorithm>
#include <openvino/op/constant.hpp>
#include <openvino/op/gather_nd.hpp>
#include <openvino/op/loop.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/range.hpp>
#include <openvino/op/result.hpp>
#include <openvino/op/roi_align.hpp>
#include <openvino/op/shape_of.hpp>
#include <openvino/op/util/gather_base.hpp>
#include <openvino/op/util/gather_nd_base.hpp>
#include <openvino/op/util/multi_subgraph_base.hpp>
#include <openvino/op/variadic_split.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/checked_values.h"

namespace vinery {
namespace {

using Values = ov::Output<ov::Node>;

std::shared_ptr<ov::op::v0::Constant> ConstantOf(const Values& values) {
  return ov::as_type_ptr<ov::op::v0::Constant>(values.get_node_shared_ptr());
}

Values Truth(bool holds) { return ov::op::v0::Constant::create(ov::element::boolean, {}, {holds}); }

bool IsFalse(const Values& values) {
  const auto constant = ConstantOf(values);
  return constant != nullptr && !constant->cast_vector<bool>().front();
}

/// An input whose values are to be checked.
struct Wanted {
  std::size_t input;
  ValueRule rule;
  std::int64_t axis = 0;
  std::vector<Values> facts;
};

/// The shape of the data is a fact.
Wanted AgainstData(std::size_t input, ValueRule rule, std::int64_t axis, const Values& data) {
  const ov::PartialShape& shape = data.get_partial_shape();
  if (shape.is_dynamic()) return {input, rule, axis, {std::make_shared<ov::op::v3::ShapeOf>(data)}};
  const ov::Shape known = shape.to_shape();
  return {input, rule, axis, {ov::op::v0::Constant::create(ov::element::i64, {known.size()}, known)}};
}

/// Whether all that a check would find out is known before the inference: then it is the model's own matter.
bool IsSettled(const Values& values, const Values& data, std::size_t first, std::size_t count) {
  if (ConstantOf(values) == nullptr) return false;
  const ov::PartialShape& shape = data.get_partial_shape();
  if (shape.is_static()) return true;
  if (shape.rank().is_dynamic() || first + count > shape.size()) return false;
  const auto from = shape.begin() + static_cast<std::ptrdiff_t>(first);
  return std::all_of(from, from + static_cast<std::ptrdiff_t>(count), [](const auto& size) { return size.is_static(); });
}

std::optional<Wanted> OfTuples(const ov::op::util::GatherNDBase& gather) {
  const ov::PartialShape& tuples = gather.get_input_partial_shape(1);
  const auto first = gather.get_batch_dims();
  const bool has_depth = tuples.rank().is_static() && tuples.size() > 0 && tuples.rbegin()->is_static();
  const std::size_t depth = has_depth ? static_cast<std::size_t>(tuples.rbegin()->get_length()) : 0;
  if (has_depth && IsSettled(gather.input_value(1), gather.input_value(0), first, depth)) return std::nullopt;
  return AgainstData(1, ValueRule::kTuples, static_cast<std::int64_t>(first), gather.input_value(0));
}

/// Only a few integers in one dimension are copied without a look at the places.
std::optional<Wanted> OfPlaces(const ov::op::util::GatherBase& gather) {
  const Values data = gather.input_value(0);
  const ov::PartialShape& shape = data.get_partial_shape();
  if (!data.get_element_type().is_integral() || shape.rank().is_dynamic() || shape.size() != 1) return std::nullopt;
  if (IsSettled(gather.input_value(1), data, 0, 1)) return std::nullopt;
  return AgainstData(1, ValueRule::kPlaces, 0, data);
}

/// Lengths that are all told are compared with the data when shapes are found.
std::optional<Wanted> OfLengths(const ov::op::v1::VariadicSplit& split) {
  const auto axis = ConstantOf(split.input_value(1));
  if (axis == nullptr) return std::nullopt;
  const Values data = split.input_value(0);
  const std::int64_t place = axis->cast_vector<std::int64_t>().front();
  if (const auto lengths = ConstantOf(split.input_value(2)); lengths != nullptr) {
    const auto numbers = lengths->cast_vector<std::int64_t>();
    if (std::find(numbers.begin(), numbers.end(), -1) == numbers.end()) return std::nullopt;
    const ov::PartialShape& shape = data.get_partial_shape();
    if (shape.rank().is_static()) {
      const std::int64_t first = place < 0 ? place + shape.rank().get_length() : place;
      if (IsSettled(split.input_value(2), data, static_cast<std::size_t>(first), 1)) return std::nullopt;
    }
  }
  return AgainstData(2, ValueRule::kLengths, place, data);
}

std::optional<Wanted> OfRows(const ov::Node& align) {
  if (IsSettled(align.input_value(2), align.input_value(0), 0, 1)) return std::nullopt;
  return AgainstData(2, ValueRule::kRows, 0, align.input_value(0));
}

std::optional<Wanted> OfStep(const ov::Node& range) {
  const Values step = range.input_value(2);
  if (!range.get_output_element_type(0).is_integral() || ConstantOf(step) != nullptr) return std::nullopt;
  return Wanted{2, ValueRule::kStep, 0, {}};
}

/// What the condition of a loop is for ever once a round has begun; nothing where rounds may change it.
std::optional<Values> StandingCondition(const ov::op::v5::Loop& loop) {
  const auto& body = loop.get_function();
  const auto place = static_cast<std::size_t>(loop.get_special_body_ports().body_condition_output_idx);
  const Values condition = body->get_results().at(place)->input_value(0);
  if (ConstantOf(condition) != nullptr) return Truth(!IsFalse(condition));
  for (const auto& described : loop.get_input_descriptions()) {
    if (body->get_parameters().at(described->m_body_parameter_index).get() != condition.get_node()) continue;
    const Values outside = loop.input_value(described->m_input_index);
    if (ov::as_type_ptr<ov::op::util::SubGraphOp::InvariantInputDescription>(described) != nullptr) return outside;
    const auto merged = ov::as_type_ptr<ov::op::util::SubGraphOp::MergedInputDescription>(described);
    if (merged != nullptr && merged->m_body_value_index == place) return outside;
  }
  return std::nullopt;
}

std::optional<Wanted> OfRounds(const ov::op::v5::Loop& loop) {
  const auto standing = StandingCondition(loop);
  const Values begins = loop.input_value(1);
  if (!standing || IsFalse(*standing) || IsFalse(begins)) return std::nullopt;
  const auto rounds = ConstantOf(loop.input_value(0));
  const bool is_counted = rounds != nullptr && rounds->cast_vector<std::int64_t>().front() >= 0;
  const bool is_settled = rounds != nullptr && ConstantOf(*standing) != nullptr && ConstantOf(begins) != nullptr;
  if (is_counted || is_settled) return std::nullopt;
  return Wanted{0, ValueRule::kRounds, 0, {begins, *standing}};
}

std::optional<Wanted> FindWanted(const ov::Node& operation) {
  if (const auto* gather = dynamic_cast<const ov::op::util::GatherNDBase*>(&operation)) return OfTuples(*gather);
  if (const auto* gather = dynamic_cast<const ov::op::util::GatherBase*>(&operation)) return OfPlaces(*gather);
  if (const auto* split = ov::as_type<const ov::op::v1::VariadicSplit>(&operation)) return OfLengths(*split);
  if (const auto* loop = ov::as_type<const ov::op::v5::Loop>(&operation)) return OfRounds(*loop);
  if (ov::is_type<ov::op::v3::ROIAlign>(&operation) || ov::is_type<ov::op::v9::ROIAlign>(&operation)) {
    return OfRows(operation);
  }
  if (ov::is_type<ov::op::v0::Range>(&operation) || ov::is_type<ov::op::v4::Range>(&operation)) {
    return OfStep(operation);
  }
  return std::nullopt;
}

bool NeedsGuards(const ov::Model& model) {
  const auto operations = model.get_ops();
  return std::any_of(operations.begin(), operations.end(), [](const auto& operation) {
    if (FindWanted(*operation)) return true;
    const auto* outer = dynamic_cast<const ov::op::util::MultiSubGraphOp*>(operation.get());
    if (outer == nullptr) return false;
    const auto& bodies = outer->get_functions();
    return std::any_of(bodies.begin(), bodies.end(), [](const auto& body) { return NeedsGuards(*body); });
  });
}

void InsertGuard(ov::Node& operation, Wanted wanted) {
  ov::OutputVector inputs = {operation.input_value(wanted.input)};
  inputs.insert(inputs.end(), wanted.facts.begin(), wanted.facts.end());
  const std::string& name = operation.get_friendly_name();
  const auto checked = std::make_shared<CheckedValues>(
      inputs, ValueCheck{wanted.rule, wanted.axis, std::string(operation.get_type_name()) + " " + name});
  checked->set_friendly_name(name + "/checked_" + std::to_string(wanted.input));
  operation.input(wanted.input).replace_source_output(checked);
}

void InsertGuards(const ov::Model& model) {
  for (const auto& operation : model.get_ordered_ops()) {
    if (auto wanted = FindWanted(*operation)) InsertGuard(*operation, std::move(*wanted));
    const auto* outer = dynamic_cast<const ov::op::util::MultiSubGraphOp*>(operation.get());
    if (outer == nullptr) continue;
    for (const auto& body : outer->get_functions()) InsertGuards(*body);
  }
}

}  // namespace

std::shared_ptr<ov::Model> GuardValues(const std::shared_ptr<ov::Model>& model) {
  if (!NeedsGuards(*model)) return model;
  auto guarded = model->clone();
  InsertGuards(*guarded);
  return guarded;
}

}  // namespace vinery

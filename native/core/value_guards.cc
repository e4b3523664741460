#include "core/value_guards.h"

#include <algorithm>
#include <array>
#include <openvino/core/except.hpp>
#include <openvino/op/col2im.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/ctc_loss.hpp>
#include <openvino/op/loop.hpp>
#include <openvino/op/multinomial.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/range.hpp>
#include <openvino/op/result.hpp>
#include <openvino/op/shape_of.hpp>
#include <openvino/op/util/gather_base.hpp>
#include <openvino/op/util/gather_nd_base.hpp>
#include <openvino/op/util/multi_subgraph_base.hpp>
#include <openvino/op/util/scatter_elements_update_base.hpp>
#include <openvino/op/util/topk_base.hpp>
#include <openvino/op/variadic_split.hpp>
#include <optional>
#include <string>
#include <string_view>
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

void Add(std::optional<Wanted> found, std::vector<Wanted>& wanted) {
  if (found) wanted.push_back(std::move(*found));
}

/// The shape of the data is a fact.
Wanted AgainstData(std::size_t input, ValueRule rule, std::int64_t axis, const Values& data) {
  return {input, rule, axis, {std::make_shared<ov::op::v3::ShapeOf>(data)}};
}

/// The shape as a fact, with nothing where a size is not known.
Values KnownSizes(const ov::PartialShape& shape) {
  std::vector<std::int64_t> sizes;
  for (const auto& size : shape) sizes.push_back(size.is_static() ? size.get_length() : 0);
  return ov::op::v0::Constant::create(ov::element::i64, {sizes.size()}, sizes);
}

/// Whether the sizes of some axes are known. @param first a negative one counts from the end.
bool AreKnown(const ov::PartialShape& shape, std::int64_t first, std::size_t count) {
  if (shape.rank().is_dynamic()) return false;
  const auto from = static_cast<std::size_t>(first < 0 ? first + shape.rank().get_length() : first);
  for (std::size_t axis = from; axis < from + count && axis < shape.size(); ++axis) {
    if (shape[static_cast<std::ptrdiff_t>(axis)].is_dynamic()) return false;
  }
  return true;
}

/// For values that belong to some axes of the first input.
Wanted AlongAxes(std::size_t input, ValueRule rule, std::int64_t first, std::size_t count, const ov::Node& operation) {
  const Values data = operation.input_value(0);
  if (!AreKnown(data.get_partial_shape(), first, count)) return AgainstData(input, rule, first, data);
  return {input, rule, first, {KnownSizes(data.get_partial_shape())}};
}

Wanted AlongAxis(std::size_t input, ValueRule rule, std::int64_t axis, const ov::Node& operation) {
  return AlongAxes(input, rule, axis, 1, operation);
}

Wanted OfTuples(const ov::op::util::GatherNDBase& gather) {
  const ov::PartialShape& tuples = gather.get_input_partial_shape(1);
  const auto first = static_cast<std::int64_t>(gather.get_batch_dims());
  const bool has_depth = tuples.rank().is_static() && tuples.size() > 0 && tuples.rbegin()->is_static();
  if (!has_depth) return AgainstData(1, ValueRule::kTuples, first, gather.input_value(0));
  return AlongAxes(1, ValueRule::kTuples, first, static_cast<std::size_t>(tuples.rbegin()->get_length()), gather);
}

/// Only a few integers in one dimension are copied without a look at the places.
std::optional<Wanted> OfPlaces(const ov::op::util::GatherBase& gather) {
  const ov::PartialShape& shape = gather.get_input_partial_shape(0);
  const bool has_integers = gather.get_input_element_type(0).is_integral();
  if (!has_integers || shape.rank().is_dynamic() || shape.size() != 1) return std::nullopt;
  return AlongAxis(1, ValueRule::kPlaces, 0, gather);
}

/// Lengths that are all told are compared with the data when shapes are found.
std::optional<Wanted> OfLengths(const ov::op::v1::VariadicSplit& split) {
  const auto axis = ConstantOf(split.input_value(1));
  if (axis == nullptr) return std::nullopt;
  if (const auto lengths = ConstantOf(split.input_value(2)); lengths != nullptr) {
    const auto numbers = lengths->cast_vector<std::int64_t>();
    if (std::find(numbers.begin(), numbers.end(), -1) == numbers.end()) return std::nullopt;
  }
  return AlongAxis(2, ValueRule::kLengths, axis->cast_vector<std::int64_t>().front(), split);
}

/// Where the axis is not known, its value is a fact.
Wanted OfElements(const ov::op::util::ScatterElementsUpdateBase& scatter) {
  const Values data = scatter.input_value(0);
  const auto axis = ConstantOf(scatter.input_value(3));
  if (axis == nullptr) {
    Wanted wanted = AgainstData(1, ValueRule::kPlaces, 0, data);
    wanted.facts.push_back(scatter.input_value(3));
    return wanted;
  }
  return AlongAxis(1, ValueRule::kPlaces, axis->cast_vector<std::int64_t>().front(), scatter);
}

/// An input of an operation of OpenVINO that is checked, whatever else the operation is.
struct CheckedInput {
  std::string_view type;
  std::size_t input;
  ValueRule rule;
  std::int64_t axis;
};

constexpr std::array<CheckedInput, 24> kCheckedInputs = {{
    {"CTCGreedyDecoderSeqLen", 1, ValueRule::kWithin, 1},
    {"CTCLoss", 3, ValueRule::kSome, 1},
    {"CTCLoss", 4, ValueRule::kRows, 2},
    {"DFT", 1, ValueRule::kAxes, 1},
    {"DFT", 2, ValueRule::kSizesOrWhole, 0},
    {"DeformableConvolution", 1, ValueRule::kNumbers, 0},
    {"DeformablePSROIPooling", 1, ValueRule::kBoxes, 0},
    {"DeformablePSROIPooling", 2, ValueRule::kFinite, 0},
    {"ExperimentalDetectronROIFeatureExtractor", 0, ValueRule::kFinite, 0},
    {"IDFT", 1, ValueRule::kAxes, 1},
    {"IDFT", 2, ValueRule::kSizesOrWhole, 0},
    {"ISTFT", 4, ValueRule::kSizes, 0},
    {"MulticlassNms", 2, ValueRule::kShares, 1},
    {"PSROIPooling", 1, ValueRule::kBoxes, 0},
    {"PriorBox", 0, ValueRule::kGrid, 0},
    {"PriorBoxClustered", 0, ValueRule::kGrid, 0},
    {"ROIAlign", 2, ValueRule::kRows, 0},
    {"ROIAlignRotated", 2, ValueRule::kRows, 0},
    {"ROIPooling", 1, ValueRule::kBoxes, 0},
    {"Roll", 2, ValueRule::kAxes, 0},
    {"SegmentMax", 1, ValueRule::kCounts, 0},
    {"SpaceToBatch", 1, ValueRule::kSizes, 0},
    {"StridedSlice", 3, ValueRule::kStep, 0},
    {"Tile", 1, ValueRule::kCounts, 0},
}};

/// Whether the rule asks for the shape of the data.
bool AsksForShape(ValueRule rule) {
  return rule == ValueRule::kWithin || rule == ValueRule::kAxes || rule == ValueRule::kBoxes ||
         rule == ValueRule::kShares || rule == ValueRule::kRows || rule == ValueRule::kSome;
}

void AddFromTable(const ov::Node& operation, std::vector<Wanted>& wanted) {
  const auto& type = operation.get_type_info();
  if (type.version_id == nullptr || std::string_view(type.version_id).substr(0, 5) != "opset") return;
  for (const auto& [name, input, rule, axis] : kCheckedInputs) {
    if (name != type.name || input >= operation.get_input_size()) continue;
    if (AsksForShape(rule)) {
      wanted.push_back(AlongAxis(input, rule, axis, operation));
    } else if (ConstantOf(operation.input_value(input)) == nullptr) {
      wanted.push_back({input, rule, axis, {}});
    }
  }
}

/// OpenVINO refuses other numbers, but too late: a later inference may end the process.
std::optional<Wanted> OfLargest(const ov::op::util::TopKBase& largest) {
  if (ConstantOf(largest.input_value(1)) != nullptr) return std::nullopt;
  return AlongAxis(1, ValueRule::kSome, largest.get_provided_axis(), largest);
}

/// Labels behind those that count may be anything.
std::optional<Wanted> OfLabels(const ov::op::v4::CTCLoss& loss) {
  if (ConstantOf(loss.input_value(2)) != nullptr && ConstantOf(loss.input_value(3)) != nullptr) return std::nullopt;
  Wanted wanted = AgainstData(2, ValueRule::kLabels, 2, loss.input_value(0));
  wanted.facts.push_back(loss.input_value(3));
  return wanted;
}

/// Without replacement there must be enough to draw.
Wanted OfWeights(const ov::op::v13::Multinomial& draw) {
  Wanted wanted{0, ValueRule::kWeights, draw.get_log_probs() ? 1 : 0, {}};
  if (!draw.get_with_replacement()) wanted.facts.push_back(draw.input_value(1));
  return wanted;
}

/// OpenVINO does not compare the sizes with the data, and only constants can be compared before the inference.
void RefuseOpenSizes(const ov::op::v15::Col2Im& join) {
  if (ConstantOf(join.input_value(1)) != nullptr && ConstantOf(join.input_value(2)) != nullptr) return;
  OPENVINO_THROW("Col2Im ", join.get_friendly_name(), ": expected constant sizes, received such as requests tell");
}

/// Only integers are divided by it.
std::optional<Wanted> OfStep(const ov::Node& range) {
  if (!range.get_output_element_type(0).is_integral() || ConstantOf(range.input_value(2)) != nullptr) {
    return std::nullopt;
  }
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
    Values outside = loop.input_value(described->m_input_index);
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

std::vector<Wanted> FindWanted(const ov::Node& operation) {
  std::vector<Wanted> wanted;
  AddFromTable(operation, wanted);
  if (const auto* tuples = dynamic_cast<const ov::op::util::GatherNDBase*>(&operation))
    wanted.push_back(OfTuples(*tuples));
  if (const auto* gather = dynamic_cast<const ov::op::util::GatherBase*>(&operation)) Add(OfPlaces(*gather), wanted);
  if (const auto* scatter = dynamic_cast<const ov::op::util::ScatterElementsUpdateBase*>(&operation)) {
    wanted.push_back(OfElements(*scatter));
  }
  if (const auto* largest = dynamic_cast<const ov::op::util::TopKBase*>(&operation)) {
    Add(OfLargest(*largest), wanted);
  }
  if (const auto* loss = ov::as_type<const ov::op::v4::CTCLoss>(&operation)) Add(OfLabels(*loss), wanted);
  if (const auto* draw = ov::as_type<const ov::op::v13::Multinomial>(&operation)) wanted.push_back(OfWeights(*draw));
  if (const auto* join = ov::as_type<const ov::op::v15::Col2Im>(&operation)) RefuseOpenSizes(*join);
  if (const auto* split = ov::as_type<const ov::op::v1::VariadicSplit>(&operation)) Add(OfLengths(*split), wanted);
  if (const auto* loop = ov::as_type<const ov::op::v5::Loop>(&operation)) Add(OfRounds(*loop), wanted);
  if (ov::is_type<ov::op::v0::Range>(&operation) || ov::is_type<ov::op::v4::Range>(&operation)) {
    Add(OfStep(operation), wanted);
  }
  return wanted;
}

std::shared_ptr<CheckedValues> MakeCheck(const ov::Node& operation, const Wanted& wanted) {
  ov::OutputVector inputs = {operation.input_value(wanted.input)};
  inputs.insert(inputs.end(), wanted.facts.begin(), wanted.facts.end());
  const std::string reader = std::string(operation.get_type_name()) + " " + operation.get_friendly_name();
  return std::make_shared<CheckedValues>(inputs, ValueCheck{wanted.rule, wanted.axis, reader});
}

/// Checks here what no request changes.
bool IsSettled(const ov::Node& operation, const Wanted& wanted) {
  const auto check = MakeCheck(operation, wanted);
  ov::TensorVector inputs;
  for (const auto& input : check->input_values()) {
    const auto constant = ConstantOf(input);
    if (constant == nullptr) return false;
    inputs.push_back(constant->get_tensor_view());
  }
  ov::TensorVector outputs = {ov::Tensor(inputs[0].get_element_type(), inputs[0].get_shape())};
  check->evaluate(outputs, inputs);
  return true;
}

/// What is left to check in each inference.
std::vector<Wanted> FindUnsettled(const ov::Node& operation) {
  std::vector<Wanted> wanted = FindWanted(operation);
  wanted.erase(std::remove_if(wanted.begin(), wanted.end(),
                              [&operation](const Wanted& one) { return IsSettled(operation, one); }),
               wanted.end());
  return wanted;
}

bool NeedsGuards(const ov::Model& model) {
  const auto operations = model.get_ops();
  return std::any_of(operations.begin(), operations.end(), [](const auto& operation) {
    if (!FindUnsettled(*operation).empty()) return true;
    const auto* outer = dynamic_cast<const ov::op::util::MultiSubGraphOp*>(operation.get());
    if (outer == nullptr) return false;
    const auto& bodies = outer->get_functions();
    return std::any_of(bodies.begin(), bodies.end(), [](const auto& body) { return NeedsGuards(*body); });
  });
}

void InsertGuard(ov::Node& operation, const Wanted& wanted) {
  const auto check = MakeCheck(operation, wanted);
  check->set_friendly_name(operation.get_friendly_name() + "/checked_" + std::to_string(wanted.input));
  operation.input(wanted.input).replace_source_output(check);
}

void InsertGuards(const ov::Model& model) {
  for (const auto& operation : model.get_ordered_ops()) {
    for (const Wanted& wanted : FindUnsettled(*operation)) InsertGuard(*operation, wanted);
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

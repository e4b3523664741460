#include "core/checked_values.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>
#include <openvino/core/except.hpp>
#include <openvino/op/constant.hpp>
#include <utility>

#include "core/openvino_fault.h"

namespace vinery {
namespace {

using Numbers = std::vector<std::int64_t>;

template <typename Element>
Numbers Read(const ov::Tensor& tensor) {
  const auto* first = static_cast<const Element*>(tensor.data());
  Numbers numbers;
  numbers.reserve(tensor.get_size());
  std::transform(first, first + tensor.get_size(), std::back_inserter(numbers),
                 [](Element element) { return static_cast<std::int64_t>(element); });
  return numbers;
}

/// Of the types that OpenVINO's operations take for places and lengths.
Numbers ReadNumbers(const ov::Tensor& tensor) {
  switch (tensor.get_element_type()) {
    case ov::element::boolean:
    case ov::element::u8:
      return Read<std::uint8_t>(tensor);
    case ov::element::i8:
      return Read<std::int8_t>(tensor);
    case ov::element::u16:
      return Read<std::uint16_t>(tensor);
    case ov::element::i16:
      return Read<std::int16_t>(tensor);
    case ov::element::u32:
      return Read<std::uint32_t>(tensor);
    case ov::element::i32:
      return Read<std::int32_t>(tensor);
    case ov::element::u64:
      return Read<std::uint64_t>(tensor);
    case ov::element::i64:
      return Read<std::int64_t>(tensor);
    default:
      OPENVINO_THROW("expected integers, received ", tensor.get_element_type());
  }
}

/// Hands each number of a tensor to `use(number)`.
template <typename Element, typename Use>
void VisitAs(const ov::Tensor& tensor, Use&& use) {
  const auto* first = static_cast<const Element*>(tensor.data());
  std::for_each(first, first + tensor.get_size(), [&use](Element element) { use(static_cast<double>(element)); });
}

template <typename Use>
void VisitReals(const ov::Tensor& tensor, Use&& use) {
  switch (tensor.get_element_type()) {
    case ov::element::f16:
      return VisitAs<ov::float16>(tensor, use);
    case ov::element::bf16:
      return VisitAs<ov::bfloat16>(tensor, use);
    case ov::element::f32:
      return VisitAs<float>(tensor, use);
    case ov::element::f64:
      return VisitAs<double>(tensor, use);
    default:
      OPENVINO_THROW("expected floating-point numbers, received ", tensor.get_element_type());
  }
}

[[noreturn]] void Refuse(const ValueCheck& check, const std::string& expected, const std::string& received) {
  OPENVINO_THROW(check.reader, ": expected ", expected, ", received ", received);
}

std::string ToText(const Numbers& numbers) {
  std::string text;
  for (const std::int64_t number : numbers) text += (text.empty() ? "" : ",") + std::to_string(number);
  return "(" + text + ")";
}

std::int64_t SizeAlong(const Numbers& shape, std::int64_t axis) {
  const auto rank = static_cast<std::int64_t>(shape.size());
  const std::int64_t place = axis < 0 ? axis + rank : axis;
  OPENVINO_ASSERT(place >= 0 && place < rank, "expected an axis of the shape ", ToText(shape), ", received ", axis);
  return shape[static_cast<std::size_t>(place)];
}

/// The least and the largest number that a rule allows along an axis of this size.
std::pair<std::int64_t, std::int64_t> BoundsOf(ValueRule rule, std::int64_t size) {
  if (rule == ValueRule::kWithin) return {0, size};
  if (rule == ValueRule::kSome) return {1, size};
  const bool counts_from_end = rule == ValueRule::kPlaces || rule == ValueRule::kTuples;
  return {counts_from_end ? -size : 0, size - 1};
}

void CheckPlace(const ValueCheck& check, std::int64_t place, const Numbers& shape, std::int64_t axis) {
  const auto [least, most] = BoundsOf(check.rule, SizeAlong(shape, axis));
  if (place >= least && place <= most) return;
  const bool is_count = check.rule == ValueRule::kWithin || check.rule == ValueRule::kSome;
  Refuse(check,
         (is_count ? "numbers in [" : "indices in [") + std::to_string(least) + ", " + std::to_string(most) +
             "] along axis " + std::to_string(axis),
         std::to_string(place));
}

/// @param depth how many places are one tuple, each along an axis of its own.
void CheckPlaces(const ValueCheck& check, const ov::TensorVector& inputs, std::size_t depth) {
  const Numbers places = ReadNumbers(inputs[0]);
  const Numbers shape = ReadNumbers(inputs[1]);
  const std::int64_t first = inputs.size() > 2 ? ReadNumbers(inputs[2]).at(0) : check.axis;
  for (std::size_t index = 0; index < places.size(); ++index) {
    CheckPlace(check, places[index], shape, first + static_cast<std::int64_t>(index % depth));
  }
}

/// What is behind the labels of a row may be anything.
void CheckLabels(const ValueCheck& check, const ov::TensorVector& inputs) {
  const Numbers labels = ReadNumbers(inputs[0]);
  const Numbers shape = ReadNumbers(inputs[1]);
  const Numbers counts = ReadNumbers(inputs[2]);
  const std::size_t width = inputs[0].get_shape().back();
  for (std::size_t index = 0; index < labels.size(); ++index) {
    if (static_cast<std::int64_t>(index % width) >= counts.at(index / width)) continue;
    CheckPlace(check, labels[index], shape, check.axis);
  }
}

/// Whether the lengths make up the whole. Their sum cannot overflow: none is larger than the whole.
bool FillWhole(const Numbers& lengths, std::int64_t whole) {
  std::int64_t left = whole;
  std::size_t open = 0;
  for (const std::int64_t length : lengths) {
    if (length == -1) {
      ++open;
    } else if (length < 0 || length > left) {
      return false;
    } else {
      left -= length;
    }
  }
  return open == 1 || (open == 0 && left == 0);
}

void CheckLengths(const ValueCheck& check, const Numbers& lengths, const Numbers& shape) {
  const std::int64_t whole = SizeAlong(shape, check.axis);
  if (FillWhole(lengths, whole)) return;
  Refuse(check, "lengths that make up " + std::to_string(whole) + ", of which one may be -1", ToText(lengths));
}

/// CPU computes with the lower 32 bits of an integer.
bool IsZero(std::int64_t step) { return static_cast<std::int32_t>(step) == 0; }

void CheckStep(const ValueCheck& check, const Numbers& steps) {
  const auto zero = std::find_if(steps.begin(), steps.end(), IsZero);
  if (zero != steps.end()) Refuse(check, "steps other than 0 in 32 bits", std::to_string(*zero));
}

void CheckCounts(const ValueCheck& check, const Numbers& counts) {
  const auto least = std::min_element(counts.begin(), counts.end());
  if (least != counts.end() && *least < 0) Refuse(check, "counts that are not negative", std::to_string(*least));
}

void CheckSizes(const ValueCheck& check, const Numbers& sizes) {
  for (const std::int64_t size : sizes) {
    if (size >= 1 || (size == -1 && check.rule == ValueRule::kSizesOrWhole)) continue;
    Refuse(check, check.rule == ValueRule::kSizesOrWhole ? "sizes of at least 1, or -1" : "sizes of at least 1",
           std::to_string(size));
  }
}

/// More than any picture's features have; what is made of a grid is counted in 32 bits.
constexpr std::int64_t kMostCells = 4'194'304;

void CheckGrid(const ValueCheck& check, const Numbers& sizes) {
  std::int64_t left = kMostCells;
  for (const std::int64_t size : sizes) {
    if (size < 1 || size > left) {
      Refuse(check, "sizes of at least 1 that make up at most " + std::to_string(kMostCells), ToText(sizes));
    }
    left /= size;
  }
}

void CheckShares(const ValueCheck& check, const Numbers& shares, const Numbers& shape) {
  const std::int64_t whole = SizeAlong(shape, check.axis);
  std::int64_t left = whole;
  for (const std::int64_t share : shares) {
    if (share < 0 || share > left) Refuse(check, "shares of " + std::to_string(whole), ToText(shares));
    left -= share;
  }
}

void CheckAxes(const ValueCheck& check, const Numbers& axes, const Numbers& shape) {
  const std::int64_t rank = static_cast<std::int64_t>(shape.size()) - check.axis;
  for (const std::int64_t axis : axes) {
    if (axis >= -rank && axis < rank) continue;
    Refuse(check, "axes in [" + std::to_string(-rank) + ", " + std::to_string(rank - 1) + "]", std::to_string(axis));
  }
}

void CheckReals(const ValueCheck& check, const ov::Tensor& tensor) {
  const bool takes_infinite = check.rule == ValueRule::kNumbers;
  VisitReals(tensor, [&](double real) {
    if (std::isfinite(real) || (takes_infinite && !std::isnan(real))) return;
    Refuse(check, takes_infinite ? "numbers" : "finite numbers", std::to_string(real));
  });
}

void CheckBoxes(const ValueCheck& check, const ov::Tensor& boxes, const Numbers& shape) {
  CheckReals(check, boxes);
  const std::int64_t rows = SizeAlong(shape, check.axis);
  const std::size_t width = boxes.get_shape().back();
  std::size_t index = 0;
  VisitReals(boxes, [&](double real) {
    if (index++ % width != 0 || (real >= 0 && real < static_cast<double>(rows))) return;
    Refuse(check, "boxes of a row in [0, " + std::to_string(rows - 1) + "]", std::to_string(real));
  });
}

void CheckWeights(const ValueCheck& check, const ov::TensorVector& inputs) {
  const std::int64_t drawn = inputs.size() > 1 ? ReadNumbers(inputs[1]).at(0) : 1;
  const std::size_t width = inputs[0].get_shape().back();
  std::size_t index = 0;
  float sum = 0;
  std::int64_t possible = 0;
  VisitReals(inputs[0], [&](double real) {
    if (index++ % width == 0) {
      sum = 0;
      possible = 0;
    }
    const auto weight = static_cast<float>(check.axis == 1 ? std::exp(real) : real);
    sum += weight;
    if (weight > 0) ++possible;
    const bool is_row_over = index % width == 0;
    const bool fits =
        weight >= 0 && std::isfinite(sum) && (!is_row_over || possible >= std::max<std::int64_t>(drawn, 1));
    if (!fits) Refuse(check, "finite weights of " + std::to_string(drawn) + " or more", std::to_string(real));
  });
}

void CheckRounds(const ValueCheck& check, const Numbers& rounds, const ov::TensorVector& inputs) {
  const auto holds = [&inputs](std::size_t fact) {
    const Numbers numbers = ReadNumbers(inputs[fact]);
    return !numbers.empty() && numbers.front() != 0;
  };
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  if (rounds.empty() || (rounds.front() >= 0 && rounds.front() <= kMost) || !holds(1) || !holds(2)) return;
  Refuse(check, "rounds in [0, " + std::to_string(kMost) + "], because the condition never ends the loop",
         std::to_string(rounds.front()));
}

void CheckNumbers(const ValueCheck& check, const ov::TensorVector& inputs) {
  const Numbers numbers = ReadNumbers(inputs[0]);
  switch (check.rule) {
    case ValueRule::kTuples:
      return CheckPlaces(check, inputs, inputs[0].get_shape().back());
    case ValueRule::kLengths:
      return CheckLengths(check, numbers, ReadNumbers(inputs[1]));
    case ValueRule::kStep:
      return CheckStep(check, numbers);
    case ValueRule::kRounds:
      return CheckRounds(check, numbers, inputs);
    case ValueRule::kCounts:
      return CheckCounts(check, numbers);
    case ValueRule::kShares:
      return CheckShares(check, numbers, ReadNumbers(inputs[1]));
    case ValueRule::kAxes:
      return CheckAxes(check, numbers, ReadNumbers(inputs[1]));
    case ValueRule::kSizes:
    case ValueRule::kSizesOrWhole:
      return CheckSizes(check, numbers);
    case ValueRule::kGrid:
      return CheckGrid(check, numbers);
    case ValueRule::kLabels:
      return CheckLabels(check, inputs);
    default:
      return CheckPlaces(check, inputs, 1);
  }
}

bool HasSameBytes(const ov::Tensor& one, const ov::Tensor& other) {
  return one.get_byte_size() == other.get_byte_size() && one.get_shape() == other.get_shape() &&
         std::memcmp(one.data(), other.data(), one.get_byte_size()) == 0;
}

/// Whether none is left open. OpenVINO itself compares the others with the data when it finds shapes.
bool HasAllLengths(const Numbers& lengths) {
  return std::all_of(lengths.begin(), lengths.end(), [](std::int64_t length) { return length >= 0; });
}

/// Nothing is known where the bound has no tensor.
bool HandOn(const ov::Tensor& bound, ov::TensorVector& outputs) {
  if (!bound) return false;
  outputs[0].set_shape(bound.get_shape());
  bound.copy_to(outputs[0]);
  return true;
}

}  // namespace

CheckedValues::CheckedValues(const ov::OutputVector& inputs, ValueCheck check) : Op(inputs), check_(std::move(check)) {
  constructor_validate_and_infer_types();
}

void CheckedValues::validate_and_infer_types() {
  set_output_type(0, get_input_element_type(0), get_input_partial_shape(0));
}

std::shared_ptr<ov::Node> CheckedValues::clone_with_new_inputs(const ov::OutputVector& inputs) const {
  return std::make_shared<CheckedValues>(inputs, check_);
}

bool CheckedValues::visit_attributes(ov::AttributeVisitor& visitor) {
  auto rule = static_cast<std::int64_t>(check_.rule);
  visitor.on_attribute("rule", rule);
  check_.rule = static_cast<ValueRule>(rule);
  visitor.on_attribute("axis", check_.axis);
  visitor.on_attribute("reader", check_.reader);
  return true;
}

bool CheckedValues::evaluate(ov::TensorVector& outputs, const ov::TensorVector& inputs) const {
  if (check_.rule == ValueRule::kFinite || check_.rule == ValueRule::kNumbers) {
    CheckReals(check_, inputs[0]);
  } else if (check_.rule == ValueRule::kWeights) {
    CheckWeights(check_, inputs);
  } else if (check_.rule == ValueRule::kBoxes) {
    CheckBoxes(check_, inputs[0], ReadNumbers(inputs[1]));
  } else {
    CheckNumbers(check_, inputs);
  }
  return HandOn(inputs[0], outputs);
}

/// Values that are known take the place of this operation, so these must not break the rule, whatever the facts are.
bool CheckedValues::MayTell() const {
  const ov::Tensor& lower = get_input_tensor(0).get_lower_value();
  const ov::Tensor& upper = get_input_tensor(0).get_upper_value();
  if (!lower || !upper || !HasSameBytes(lower, upper)) return true;
  ov::TensorVector inputs = {lower};
  for (std::size_t fact = 1; fact < get_input_size(); ++fact) {
    const auto* constant = ov::as_type<const ov::op::v0::Constant>(get_input_node_ptr(fact));
    if (constant == nullptr) return check_.rule == ValueRule::kLengths && HasAllLengths(ReadNumbers(lower));
    inputs.push_back(constant->get_tensor_view());
  }
  ov::TensorVector outputs = {ov::Tensor(lower.get_element_type(), lower.get_shape())};
  return Guard(StatusCode::kInternal, [&] { evaluate(outputs, inputs); }).ok();
}

bool CheckedValues::evaluate_lower(ov::TensorVector& outputs) const {
  return MayTell() && HandOn(get_input_tensor(0).get_lower_value(), outputs);
}

bool CheckedValues::evaluate_upper(ov::TensorVector& outputs) const {
  return MayTell() && HandOn(get_input_tensor(0).get_upper_value(), outputs);
}

bool CheckedValues::evaluate_symbol(ov::TensorSymbolVector& symbols) const {
  const ov::TensorSymbol known = get_input_tensor(0).get_value_symbol();
  if (known.empty()) return false;
  symbols[0] = known;
  return true;
}

}  // namespace vinery

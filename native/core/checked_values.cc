#include "core/checked_values.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <openvino/core/except.hpp>
#include <utility>

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

template <typename Element>
std::vector<double> ReadAsReals(const ov::Tensor& tensor) {
  const auto* first = static_cast<const Element*>(tensor.data());
  std::vector<double> reals;
  reals.reserve(tensor.get_size());
  std::transform(first, first + tensor.get_size(), std::back_inserter(reals),
                 [](Element element) { return static_cast<double>(element); });
  return reals;
}

std::vector<double> ReadReals(const ov::Tensor& tensor) {
  switch (tensor.get_element_type()) {
    case ov::element::f16:
      return ReadAsReals<ov::float16>(tensor);
    case ov::element::bf16:
      return ReadAsReals<ov::bfloat16>(tensor);
    case ov::element::f32:
      return ReadAsReals<float>(tensor);
    case ov::element::f64:
      return ReadAsReals<double>(tensor);
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

/// @param depth how many places are one tuple, each along an axis of its own.
void CheckPlaces(const ValueCheck& check, const ov::TensorVector& inputs, std::size_t depth) {
  const Numbers places = ReadNumbers(inputs[0]);
  const Numbers shape = ReadNumbers(inputs[1]);
  const std::int64_t first = inputs.size() > 2 ? ReadNumbers(inputs[2]).at(0) : check.axis;
  for (std::size_t index = 0; index < places.size(); ++index) {
    const std::int64_t axis = first + static_cast<std::int64_t>(index % depth);
    const std::int64_t size = SizeAlong(shape, axis);
    const std::int64_t least = check.rule == ValueRule::kRows ? 0 : -size;
    if (places[index] >= least && places[index] < size) continue;
    Refuse(check,
           "indices in [" + std::to_string(least) + ", " + std::to_string(size - 1) + "] along axis " +
               std::to_string(axis),
           std::to_string(places[index]));
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
  if (zero != steps.end()) Refuse(check, "a step other than 0 in 32 bits", std::to_string(*zero));
}

void CheckCounts(const ValueCheck& check, const Numbers& counts) {
  const auto least = std::min_element(counts.begin(), counts.end());
  if (least != counts.end() && *least < 0) Refuse(check, "counts that are not negative", std::to_string(*least));
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
  const auto rank = static_cast<std::int64_t>(shape.size());
  for (const std::int64_t axis : axes) {
    if (axis >= -rank && axis < rank) continue;
    Refuse(check, "axes in [" + std::to_string(-rank) + ", " + std::to_string(rank - 1) + "]", std::to_string(axis));
  }
}

void CheckFinite(const ValueCheck& check, const std::vector<double>& reals) {
  const auto found = std::find_if(reals.begin(), reals.end(), [](double real) { return !std::isfinite(real); });
  if (found != reals.end()) Refuse(check, "finite numbers", std::to_string(*found));
}

void CheckBoxes(const ValueCheck& check, const ov::Tensor& boxes, const Numbers& shape) {
  const std::vector<double> reals = ReadReals(boxes);
  CheckFinite(check, reals);
  const std::int64_t rows = SizeAlong(shape, check.axis);
  for (std::size_t index = 0; index < reals.size(); index += boxes.get_shape().back()) {
    if (reals[index] >= 0 && reals[index] < static_cast<double>(rows)) continue;
    Refuse(check, "boxes of a row in [0, " + std::to_string(rows - 1) + "]", std::to_string(reals[index]));
  }
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
    default:
      return CheckPlaces(check, inputs, 1);
  }
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
  if (check_.rule == ValueRule::kFinite) {
    CheckFinite(check_, ReadReals(inputs[0]));
  } else if (check_.rule == ValueRule::kBoxes) {
    CheckBoxes(check_, inputs[0], ReadNumbers(inputs[1]));
  } else {
    CheckNumbers(check_, inputs);
  }
  return HandOn(inputs[0], outputs);
}

bool CheckedValues::evaluate_lower(ov::TensorVector& outputs) const {
  return HandOn(get_input_tensor(0).get_lower_value(), outputs);
}

bool CheckedValues::evaluate_upper(ov::TensorVector& outputs) const {
  return HandOn(get_input_tensor(0).get_upper_value(), outputs);
}

bool CheckedValues::evaluate_symbol(ov::TensorSymbolVector& symbols) const {
  const ov::TensorSymbol known = get_input_tensor(0).get_value_symbol();
  if (known.empty()) return false;
  symbols[0] = known;
  return true;
}

}  // namespace vinery

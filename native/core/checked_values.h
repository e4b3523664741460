#pragma once

#include <cstdint>
#include <memory>
#include <openvino/op/op.hpp>
#include <string>

namespace vinery {

/// What must hold for values that tell an operation where to read, or how often to go round. Models in a cache have
/// the numbers: they stay as they are.
enum class ValueRule : std::int64_t {
  /// Places along an axis of the data; negative ones count from the end. The facts: the shape of the data and, where
  /// values tell it, the axis.
  kPlaces = 0,
  /// As places, but none counts from the end.
  kRows = 1,
  /// Tuples of places in the last dimension, the first of them along the axis. The facts: the shape of the data.
  kTuples = 2,
  /// Lengths of the parts of an axis, one of which may be -1 for what is left. The facts: the shape of the data.
  kLengths = 3,
  /// Distances that are not zero. No facts.
  kStep = 4,
  /// A number of rounds; a negative one lets the condition alone end a loop. The facts: whether the loop begins, and
  /// whether its condition holds for ever.
  kRounds = 5,
  /// How many there are of something: not less than none. No facts.
  kCounts = 6,
  /// How many along an axis of the data belong to each part: not less than none, and not more than there are. The
  /// facts: the shape of the data.
  kShares = 7,
  /// Axes of the data but its last ones; negative ones count from the end. The facts: the shape of the data. The axis
  /// of the check is how many are left out.
  kAxes = 8,
  /// Numbers that are neither infinite nor NaN. No facts.
  kFinite = 9,
  /// Rows of a place along the axis of the data and of finite numbers. The facts: the shape of the data.
  kBoxes = 10,
  /// How many of an axis of the data are meant, perhaps none. The facts: the shape of the data.
  kWithin = 11,
  /// As within, but at least one.
  kSome = 12,
  /// Sizes, at least 1. No facts.
  kSizes = 13,
  /// Sizes, or -1 for that of the data. No facts.
  kSizesOrWhole = 14,
  /// The sizes of a grid of moderate size. No facts.
  kGrid = 15,
  /// Numbers other than NaN. No facts.
  kNumbers = 16,
  /// Rows of places along the axis of the data, of which only the first count. The facts: the shape of the data, and
  /// how many places of each row count.
  kLabels = 17,
  /// Rows of weights that something is drawn by: finite, not negative, and not all zero. The facts: nothing, or how
  /// many are drawn of a row, each another one. An axis of 1 says that the values are logarithms.
  kWeights = 18,
};

/// What is checked, and for whom.
struct ValueCheck {
  ValueRule rule = ValueRule::kPlaces;
  /// Of the data; a negative one counts from the end.
  std::int64_t axis = 0;
  /// The type and the name of the operation that reads the values.
  std::string reader;
};

/// Hands on the values of its first input, and fails where they break the rule. OpenVINO reads memory beyond a tensor,
/// or ends the process, when it meets such values (seen in 2026.4.1). The other inputs are the facts. Known bounds pass
/// through, so that shapes are found as without it, unless values that are known would then go unchecked.
class CheckedValues : public ov::op::Op {
 public:
  OPENVINO_OP("CheckedValues", "vinery")

  CheckedValues() = default;
  CheckedValues(const ov::OutputVector& inputs, ValueCheck check);

  void validate_and_infer_types() override;
  std::shared_ptr<ov::Node> clone_with_new_inputs(const ov::OutputVector& inputs) const override;
  bool visit_attributes(ov::AttributeVisitor& visitor) override;
  bool has_evaluate() const override { return true; }
  /// @throws ov::Exception when the values break the rule.
  bool evaluate(ov::TensorVector& outputs, const ov::TensorVector& inputs) const override;
  bool evaluate_lower(ov::TensorVector& outputs) const override;
  bool evaluate_upper(ov::TensorVector& outputs) const override;
  bool evaluate_symbol(ov::TensorSymbolVector& symbols) const override;

 private:
  bool MayTell() const;

  ValueCheck check_;
};

}  // namespace vinery

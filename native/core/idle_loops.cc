#include "core/idle_loops.h"

#include <cstdint>
#include <limits>
#include <memory>
#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/logical_and.hpp>
#include <openvino/op/loop.hpp>
#include <openvino/op/not_equal.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/select.hpp>
#include <openvino/op/slice.hpp>
#include <openvino/op/util/multi_subgraph_base.hpp>
#include <vector>

namespace vinery {
namespace {

using ov::op::v5::Loop;
using Collected = ov::op::util::MultiSubGraphOp::ConcatOutputDescription;

std::shared_ptr<ov::Node> Number(std::int64_t number) {
  return std::make_shared<ov::op::v0::Constant>(ov::element::i64, ov::Shape{1}, std::vector<std::int64_t>{number});
}

/// Counts and conditions may have no dimensions.
std::shared_ptr<ov::Node> AsOne(const ov::Output<ov::Node>& value, const ov::element::Type& type) {
  return std::make_shared<ov::op::v1::Reshape>(std::make_shared<ov::op::v0::Convert>(value, type), Number(1), false);
}

bool IsConstant(const ov::Output<ov::Node>& value) { return ov::is_type<ov::op::v0::Constant>(value.get_node()); }

/// Where a slice ends that keeps everything when the loop makes a round, and nothing when it makes none.
std::shared_ptr<ov::Node> EndOf(const Loop& loop) {
  const auto counts = std::make_shared<ov::op::v1::NotEqual>(AsOne(loop.input_value(0), ov::element::i64), Number(0));
  const auto begins =
      std::make_shared<ov::op::v1::LogicalAnd>(counts, AsOne(loop.input_value(1), ov::element::boolean));
  return std::make_shared<ov::op::v1::Select>(begins, Number(std::numeric_limits<std::int32_t>::max()), Number(0));
}

void Cut(ov::Output<ov::Node> output, std::int64_t axis, const std::shared_ptr<ov::Node>& end) {
  const auto users = output.get_target_inputs();
  const auto cut = std::make_shared<ov::op::v8::Slice>(output, Number(0), end, Number(1), Number(axis));
  for (const auto& user : users) user.replace_source_output(cut);
  cut->output(0).set_names(output.get_names());
  output.set_names({});
}

void EmptyIdleLoop(Loop& loop) {
  if (IsConstant(loop.input_value(0)) && IsConstant(loop.input_value(1))) return;
  std::shared_ptr<ov::Node> end;
  for (const auto& description : loop.get_output_descriptions()) {
    const auto* collected = dynamic_cast<const Collected*>(description.get());
    if (collected == nullptr) continue;
    if (end == nullptr) end = EndOf(loop);
    Cut(loop.output(collected->m_output_index), collected->m_axis, end);
  }
}

}  // namespace

void EmptyIdleLoops(const ov::Model& model) {
  for (const auto& operation : model.get_ordered_ops()) {
    if (const auto* outer = dynamic_cast<const ov::op::util::MultiSubGraphOp*>(operation.get())) {
      for (const auto& body : outer->get_functions()) EmptyIdleLoops(*body);
    }
    if (const auto loop = ov::as_type_ptr<Loop>(operation)) EmptyIdleLoop(*loop);
  }
}

}  // namespace vinery

#include "core/open_batch.h"

#include <algorithm>
#include <array>
#include <map>
#include <openvino/core/layout.hpp>
#include <string>
#include <vector>

#include "core/openvino_fault.h"

namespace vinery {
namespace {

/// Outputs must follow both. Not 1, which every operation may broadcast.
constexpr std::array<std::int64_t, 2> kTriedRows = {2, 3};

Status Refuse(const std::string& text) { return {StatusCode::kNotJoined, text}; }

std::string PortTitle(const char* kind, const ov::Output<ov::Node>& port) {
  const auto& names = port.get_names();
  return std::string(kind) + " " + (names.empty() ? "without a name" : *std::min_element(names.begin(), names.end()));
}

Status CheckPort(const char* kind, const ov::Output<ov::Node>& port) {
  const ov::PartialShape& shape = port.get_partial_shape();
  if (port.get_element_type() == ov::element::string) {
    return Refuse(PortTitle(kind, port) + ": expected numbers, received strings");
  }
  if (shape.rank().is_dynamic() || shape.size() == 0) {
    return Refuse(PortTitle(kind, port) + ": expected a batch dimension, received the shape " + shape.to_string());
  }
  const ov::Layout layout = ov::layout::get_layout(port);
  if (!layout.empty() && (!ov::layout::has_batch(layout) || ov::layout::batch_idx(layout) != 0)) {
    return Refuse(PortTitle(kind, port) + ": expected a layout that begins with N, received " + layout.to_string());
  }
  return Status::Ok();
}

Status CheckPorts(ov::Model& model) {
  for (const auto& input : model.inputs()) {
    if (Status status = CheckPort("input", input); !status.ok()) return status;
  }
  for (const auto& output : model.outputs()) {
    if (Status status = CheckPort("output", output); !status.ok()) return status;
  }
  return Status::Ok();
}

/// The batch of one request, the same in every input.
Status FindBatch(ov::Model& model, std::uint32_t most_rows, ov::Dimension& batch) {
  const auto inputs = model.inputs();
  if (inputs.empty()) return Refuse("expected an input, received a model without one");
  batch = inputs.front().get_partial_shape()[0];
  for (const auto& input : inputs) {
    const ov::Dimension& other = input.get_partial_shape()[0];
    if (other == batch) continue;
    return Refuse("expected one batch size for all inputs, received " + batch.to_string() + " and " +
                  other.to_string());
  }
  if (batch.get_min_length() * 2 <= static_cast<std::int64_t>(most_rows)) return Status::Ok();
  return {StatusCode::kBatchingFailed, "expected room for two requests of batch size " + batch.to_string() +
                                           ", received a max_batch_size of " + std::to_string(most_rows)};
}

void Reshape(ov::Model& model, const ov::Dimension& batch) {
  std::map<ov::Output<ov::Node>, ov::PartialShape> wanted;
  for (const ov::Output<ov::Node>& input : model.inputs()) {
    ov::PartialShape shape = input.get_partial_shape();
    shape[0] = batch;
    wanted[input] = shape;
  }
  model.reshape(wanted);
}

/// Everything of a shape but its rows.
ov::PartialShape RowShape(const ov::PartialShape& shape) {
  return {std::vector<ov::Dimension>(shape.begin() + 1, shape.end())};
}

/// Whether the outputs have a row for each row of the inputs, and rows of one shape. On a copy.
Status CheckOutputs(const ov::Model& model) {
  std::vector<ov::PartialShape> rows;
  for (const std::int64_t tried : kTriedRows) {
    const auto copy = model.clone();
    Reshape(*copy, tried);
    const auto outputs = copy->outputs();
    for (std::size_t index = 0; index < outputs.size(); ++index) {
      const auto& port = outputs[index];
      const ov::PartialShape& shape = port.get_partial_shape();
      const bool follows = shape.rank().is_static() && shape.size() > 0 && shape[0] == tried;
      if (rows.size() == index && follows) rows.push_back(RowShape(shape));
      if (follows && rows[index] == RowShape(shape)) continue;
      return Refuse(PortTitle("output", port) + ": expected a row for each row of the inputs, received the shape " +
                    shape.to_string() + " for " + std::to_string(tried) + " rows");
    }
  }
  return Status::Ok();
}

/// At least what one request may have.
ov::Dimension JoinedBatch(const ov::Dimension& batch, std::uint32_t most_rows) {
  if (batch.get_max_length() < 0) return batch;
  return {batch.get_min_length(), std::max<std::int64_t>(batch.get_max_length(), most_rows)};
}

}  // namespace

Status OpenBatch(ov::Model& model, std::uint32_t most_rows) {
  if (!model.get_variables().empty()) return Refuse("expected a model without state");
  Status outcome = Status::Ok();
  const Status guarded = Guard(StatusCode::kNotJoined, [&] {
    ov::Dimension batch;
    outcome = CheckPorts(model);
    if (outcome.ok()) outcome = FindBatch(model, most_rows, batch);
    if (outcome.ok()) outcome = CheckOutputs(model);
    if (outcome.ok()) Reshape(model, JoinedBatch(batch, most_rows));
  });
  return guarded.ok() ? outcome : guarded;
}

}  // namespace vinery

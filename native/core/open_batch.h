#pragma once

#include <cstdint>
#include <openvino/core/model.hpp>

#include "core/status.h"

namespace vinery {

/// Opens the batch dimension of every input, so that the rows of several requests can be inferred at once: from what
/// one request has to `most_rows`, or more where a single request may have more.
///
/// The batch dimension is the first one. `kBatchingFailed` when two requests have more rows than that. Refused with
/// `kNotJoined` and left as it is: a model that keeps state, a port of strings, one without dimensions or with a layout
/// that does not begin with N, inputs of different batches, and one whose outputs do not have a row for each row of the
/// inputs, whatever the number of rows.
Status OpenBatch(ov::Model& model, std::uint32_t most_rows);

}  // namespace vinery

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "inputs.h"
#include "measuring_window.h"
#include "pipeline.h"

namespace reference {

/// Label by input; empty for an input that was not asked.
using Labels = std::vector<std::optional<std::int64_t>>;

/// Keeps `calls` runs of the pipeline in flight, the inputs in turn, until the window has closed and the last run has
/// ended. What infers inline runs on as many threads as there are calls, but no more than cores; the other calls wait
/// for one. Throws std::runtime_error when an input gets two different labels, or nothing ends for a minute.
Labels RunClosedLoop(Pipeline& pipeline, const Inputs& inputs, std::size_t calls, MeasuringWindow& window);

}  // namespace reference

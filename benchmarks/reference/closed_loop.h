#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "measuring_window.h"
#include "pictures.h"
#include "pipeline.h"

namespace reference {

/// Label by picture; empty for a picture that was not asked.
using Labels = std::vector<std::optional<std::int64_t>>;

/// Keeps `calls` runs of the pipeline in flight, the pictures in turn, until the window has closed and the last run has
/// ended. Throws std::runtime_error when a picture gets two different labels.
Labels RunClosedLoop(Pipeline& pipeline, Pictures& pictures, std::size_t calls, MeasuringWindow& window);

}  // namespace reference

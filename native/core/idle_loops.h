#pragma once

#include <openvino/core/model.hpp>

namespace vinery {

/// Has loops that make no round collect nothing. Where only values tell whether a loop begins, OpenVINO 2026.4.1 leaves
/// what its rounds of the inference before have collected, which may be another client's. The output is cut to nothing
/// then, and is as it was when there are rounds. The bodies of loops and branches are treated alike.
void EmptyIdleLoops(const ov::Model& model);

}  // namespace vinery

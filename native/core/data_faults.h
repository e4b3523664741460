#pragma once

#include <openvino/core/model.hpp>

namespace vinery {

/// Whether an inference of the model can fail by the values it gets. False only where every operation is on the list of
/// those known to take every value, every element type is plain, and every shape is known before. An operation over
/// constants alone counts as harmless: it fails with the first inference or never. Any thread may ask.
bool MayFailByData(const ov::Model& model);

}  // namespace vinery

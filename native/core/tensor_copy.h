#pragma once

#include <openvino/runtime/tensor.hpp>

namespace vinery {

/// Copies a tensor with its shape; both have the same element type, and `to` has room for as many elements. OpenVINO
/// 2026.4.1 ends the process when it copies a tensor without elements, so such a tensor gives its shape only.
void CopyTensor(const ov::Tensor& from, ov::Tensor& to);

}  // namespace vinery

#pragma once

#include <cstdint>
#include <openvino/runtime/tensor.hpp>

#include "core/status.h"

namespace vinery {

/// Strings in plain memory, one behind the other in the order of the elements: each has its length in front, a
/// little-endian 32-bit integer at any address. OpenVINO's string tensors are arrays of std::string, which shared
/// memory cannot hold, so strings cross the boundary packed and are copied once each way. `src/tensors/strings.ts` has
/// the same.
inline constexpr std::uint64_t kStringLengthBytes = 4;

/// Copies packed strings into every element of `tensor`, whose type is string. Another thread may write the memory
/// meanwhile: then the strings are wrong, but nothing beyond `size` bytes is read. `kBindingFailed` when a string does
/// not fit into what is left of them.
Status UnpackStrings(const std::uint8_t* packed, std::uint64_t size, ov::Tensor& tensor);

/// Bytes that the strings of `tensor` take when packed; `kOutputFailed` when one is longer than its length can say.
Status PackedSize(const ov::Tensor& tensor, std::uint64_t& size);

/// Writes the `PackedSize` bytes of the strings of `tensor`.
void PackStrings(const ov::Tensor& tensor, std::uint8_t* packed);

}  // namespace vinery

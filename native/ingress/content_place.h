#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace vinery {

/// Field numbers from the message down to the bytes of a tensor, for example {2, 2, 4}: `inputs`, its value,
/// `tensor_content`.
using ContentPath = std::vector<std::uint32_t>;

/// Finds where the largest content on `path` begins in a protobuf message of which the first `available` bytes are
/// there. Only the envelope is looked at. Bytes that are no such message find nothing, and the decoder complains later.
/// @param whole length of the message.
/// @param undecided set when the envelope goes on beyond `available`, so that more bytes might tell.
std::optional<std::uint64_t> FindContent(const std::uint8_t* message, std::size_t available, std::uint64_t whole,
                                         const ContentPath& path, bool& undecided);

}  // namespace vinery

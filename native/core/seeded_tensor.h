#pragma once

#include <cstddef>
#include <cstdint>
#include <openvino/runtime/tensor.hpp>

namespace vinery {

/// Seeds that follow one another give numbers of so many kinds, in turn.
inline constexpr std::uint32_t kSeedKinds = 3;

/// Fills an input of a model that is tried: the same seed gives the same numbers on every machine, and a shorter tensor
/// has the first of a longer one.
///
/// Floating point is from -1 to 1, whole from 0 to 255 as pictures have it, or from -1000 to 1000. Integers of 8 and 16
/// bits have their whole range. Wider ones may be places in a table, so they are 0 or 1. Texts are short.
///
/// @param input its place among the inputs: each has numbers of its own.
/// @returns false for an element type without numbers.
bool FillSeeded(ov::Tensor& tensor, std::uint32_t seed, std::size_t input);

}  // namespace vinery

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <openvino/core/shape.hpp>
#include <openvino/core/type/element_type.hpp>

#include "core/status.h"

namespace vinery {

/// Numbers of a binding table that belong to one port: slab id, byte offset, rank, sizes.
/// The same names and values stand in `src/native/binding.ts`.
inline constexpr std::size_t kMaxRank = 8;
inline constexpr std::size_t kBindingStride = 3 + kMaxRank;
inline constexpr double kUnbound = -1;

/// A row of a binding table as JavaScript wrote it.
using RawRow = std::array<double, kBindingStride>;

/// A checked row: where a tensor lies and what shape it has.
struct BindingRow {
  std::uint64_t slab = 0;
  std::uint64_t offset = 0;
  ov::Shape shape;
  /// Of strings the least they can take: their lengths.
  std::uint64_t bytes = 0;
};

/// Checks the numbers of a row. JavaScript may write anything there: fractions, NaN, sizes whose product overflows.
Status ParseRow(const RawRow& raw, const ov::element::Type& type, BindingRow& row);

/// Writes rank and sizes back, so that JavaScript learns what shape an output got.
Status WriteShape(const ov::Shape& shape, double* row);

}  // namespace vinery

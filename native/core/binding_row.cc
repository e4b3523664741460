#include "core/binding_row.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/packed_strings.h"

namespace vinery {
namespace {

/// Every integer up to here has a `double` of its own (2^53).
constexpr double kLargestInteger = 9007199254740992.0;

Status ParseInteger(double number, const char* what, std::uint64_t& integer) {
  const bool in_range = number >= 0 && number <= kLargestInteger;
  if (!in_range || std::trunc(number) != number) {
    return {StatusCode::kBindingFailed,
            std::string(what) + ": expected a non-negative integer, received " + std::to_string(number)};
  }
  integer = static_cast<std::uint64_t>(number);
  return Status::Ok();
}

Status ParseShape(const RawRow& raw, ov::Shape& shape) {
  std::uint64_t rank = 0;
  if (Status status = ParseInteger(raw[2], "rank", rank); !status.ok()) return status;
  if (rank > kMaxRank) {
    return {StatusCode::kBindingFailed,
            "rank: expected at most " + std::to_string(kMaxRank) + ", received " + std::to_string(rank)};
  }
  shape.clear();
  shape.reserve(rank);
  for (std::size_t axis = 0; axis < rank; ++axis) {
    std::uint64_t size = 0;
    if (Status status = ParseInteger(raw[3 + axis], "size", size); !status.ok()) return status;
    shape.push_back(size);
  }
  return Status::Ok();
}

Status CountBytes(const ov::Shape& shape, const ov::element::Type& type, std::uint64_t& bytes) {
  std::uint64_t bits = type.bitwidth();
  for (const std::size_t size : shape) {
    if (__builtin_mul_overflow(bits, size, &bits)) {
      return {StatusCode::kBindingFailed, "a tensor of shape " + shape.to_string() + " is larger than any memory"};
    }
  }
  bytes = bits / 8 + (bits % 8 != 0 ? 1 : 0);
  return Status::Ok();
}

}  // namespace

Status ParseRow(const RawRow& raw, const ov::element::Type& type, BindingRow& row) {
  if (type.bitwidth() == 0) {
    return {StatusCode::kBindingFailed, "tensors of type " + type.get_type_name() + " cannot be bound to slabs"};
  }
  if (Status status = ParseInteger(raw[0], "slab id", row.slab); !status.ok()) return status;
  if (Status status = ParseInteger(raw[1], "byte offset", row.offset); !status.ok()) return status;
  // Packed strings are copied, and stand anywhere.
  const bool is_string = type == ov::element::string;
  if (!is_string && row.offset % type.size() != 0) {
    return {StatusCode::kBindingFailed, "byte offset " + std::to_string(row.offset) +
                                            " is not a multiple of the element size " + std::to_string(type.size())};
  }
  if (Status status = ParseShape(raw, row.shape); !status.ok()) return status;
  // Every packed string has its length.
  static_assert(kStringLengthBytes == sizeof(std::uint32_t));
  return CountBytes(row.shape, is_string ? ov::element::u32 : type, row.bytes);
}

Status WriteShape(const ov::Shape& shape, double* row) {
  if (shape.size() > kMaxRank) {
    return {StatusCode::kOutputFailed,
            "shape " + shape.to_string() + " has more than " + std::to_string(kMaxRank) + " dimensions"};
  }
  row[2] = static_cast<double>(shape.size());
  std::transform(shape.begin(), shape.end(), row + 3, [](std::size_t size) { return static_cast<double>(size); });
  return Status::Ok();
}

}  // namespace vinery

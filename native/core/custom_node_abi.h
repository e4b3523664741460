#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <openvino/core/type/element_type.hpp>

namespace vinery {

/// The C interface between OVMS 2026.2.1 and the libraries of its custom nodes. Libraries were compiled against it, so
/// order and sizes of fields are fixed.
struct CustomNodeTensor {
  const char* name;
  std::uint8_t* data;
  std::uint64_t data_bytes;
  std::uint64_t* dims;
  std::uint64_t dims_count;
  std::int32_t precision;
};
static_assert(sizeof(CustomNodeTensor) == 48 && offsetof(CustomNodeTensor, precision) == 40, "as libraries know it");

struct CustomNodeTensorInfo {
  const char* name;
  std::uint64_t* dims;
  std::uint64_t dims_count;
  std::int32_t precision;
};
static_assert(sizeof(CustomNodeTensorInfo) == 32 && offsetof(CustomNodeTensorInfo, precision) == 24,
              "as libraries know it");

struct CustomNodeParam {
  const char* key;
  const char* value;
};

/// The functions that a library exports, under the names of the fields. All of them return 0 when all is well.
struct CustomNodeFunctions {
  using InfoFunction = int(CustomNodeTensorInfo** info, int* info_count, const CustomNodeParam* params,
                           int params_count, void* manager);
  int (*initialize)(void** manager, const CustomNodeParam* params, int params_count) = nullptr;
  int (*deinitialize)(void* manager) = nullptr;
  int (*execute)(const CustomNodeTensor* inputs, int inputs_count, CustomNodeTensor** outputs, int* outputs_count,
                 const CustomNodeParam* params, int params_count, void* manager) = nullptr;
  InfoFunction* get_inputs_info = nullptr;
  InfoFunction* get_outputs_info = nullptr;
  int (*release)(void* memory, void* manager) = nullptr;
};

/// An element type that libraries know, by its name in `src/tensors/precision.ts`.
struct CustomNodePrecision {
  const char* name;
  ov::element::Type_t element_type;
};

/// By their numbers in the interface; 0 means unspecified.
inline constexpr std::array<CustomNodePrecision, 10> kCustomNodePrecisions = {{
    {"UNSPECIFIED", ov::element::Type_t::dynamic},
    {"FP32", ov::element::Type_t::f32},
    {"FP16", ov::element::Type_t::f16},
    {"U8", ov::element::Type_t::u8},
    {"I8", ov::element::Type_t::i8},
    {"I16", ov::element::Type_t::i16},
    {"U16", ov::element::Type_t::u16},
    {"I32", ov::element::Type_t::i32},
    {"FP64", ov::element::Type_t::f64},
    {"I64", ov::element::Type_t::i64},
}};

inline bool IsCustomNodePrecision(std::int32_t precision) {
  return precision > 0 && static_cast<std::size_t>(precision) < kCustomNodePrecisions.size();
}

/// `precision` is known.
inline const char* PrecisionName(std::int32_t precision) {
  return kCustomNodePrecisions.at(static_cast<std::size_t>(precision)).name;
}
inline ov::element::Type ElementType(std::int32_t precision) {
  return kCustomNodePrecisions.at(static_cast<std::size_t>(precision)).element_type;
}

}  // namespace vinery

#include "core/seeded_tensor.h"

#include <cmath>
#include <openvino/core/type/bfloat16.hpp>
#include <openvino/core/type/float16.hpp>
#include <string>

namespace vinery {
namespace {

/// Equal on every machine: SplitMix64 by the place of a number, not by the one before it.
std::uint64_t Random(std::uint64_t stream, std::uint64_t index) {
  std::uint64_t value = (stream << 48U) + (index + 1) * 0x9E3779B97F4A7C15U;
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31U);
}

/// Numbers of one input.
class Numbers {
 public:
  Numbers(std::uint32_t seed, std::size_t input)
      : kind_(seed % kSeedKinds), stream_(std::uint64_t{seed} * 64U + input) {}

  std::uint64_t integer(std::size_t index) const { return Random(stream_, index); }

  /// Of 24 bits, so that every float has it.
  float real(std::size_t index) const {
    const float share = static_cast<float>(integer(index) >> 40U) / static_cast<float>(1U << 24U);
    if (kind_ == 1) return std::floor(share * 256.0F);
    return (share * 2.0F - 1.0F) * (kind_ == 0 ? 1.0F : 1000.0F);
  }

  /// What may be a place in a table, even a short one: OpenVINO reads beyond some of them.
  std::uint64_t place(std::size_t index) const { return integer(index) % 2; }

 private:
  std::uint32_t kind_;
  std::uint64_t stream_;
};

template <typename Element, typename Make>
void Fill(ov::Tensor& tensor, Make make) {
  auto* const elements = tensor.data<Element>();
  for (std::size_t index = 0; index < tensor.get_size(); ++index) elements[index] = static_cast<Element>(make(index));
}

template <typename Element>
void FillReal(ov::Tensor& tensor, const Numbers& numbers) {
  Fill<Element>(tensor, [&numbers](std::size_t index) { return numbers.real(index); });
}

/// The whole range of the element type.
template <typename Element>
void FillIntegers(ov::Tensor& tensor, const Numbers& numbers) {
  Fill<Element>(tensor, [&numbers](std::size_t index) { return numbers.integer(index); });
}

template <typename Element>
void FillPlaces(ov::Tensor& tensor, const Numbers& numbers) {
  Fill<Element>(tensor, [&numbers](std::size_t index) { return numbers.place(index); });
}

void FillTexts(ov::Tensor& tensor, const Numbers& numbers) {
  auto* const texts = tensor.data<std::string>();
  for (std::size_t index = 0; index < tensor.get_size(); ++index) {
    texts[index] = "text " + std::to_string(numbers.integer(index) % 1000);
  }
}

bool FillReals(ov::Tensor& tensor, const Numbers& numbers) {
  switch (tensor.get_element_type()) {
    case ov::element::f64:
      FillReal<double>(tensor, numbers);
      return true;
    case ov::element::f32:
      FillReal<float>(tensor, numbers);
      return true;
    case ov::element::f16:
      FillReal<ov::float16>(tensor, numbers);
      return true;
    case ov::element::bf16:
      FillReal<ov::bfloat16>(tensor, numbers);
      return true;
    default:
      return false;
  }
}

bool FillNarrow(ov::Tensor& tensor, const Numbers& numbers) {
  switch (tensor.get_element_type()) {
    case ov::element::u8:
      FillIntegers<std::uint8_t>(tensor, numbers);
      return true;
    case ov::element::i8:
      FillIntegers<std::int8_t>(tensor, numbers);
      return true;
    case ov::element::u16:
      FillIntegers<std::uint16_t>(tensor, numbers);
      return true;
    case ov::element::i16:
      FillIntegers<std::int16_t>(tensor, numbers);
      return true;
    case ov::element::boolean:
      Fill<bool>(tensor, [&numbers](std::size_t index) { return numbers.integer(index) % 2 == 1; });
      return true;
    default:
      return false;
  }
}

bool FillWide(ov::Tensor& tensor, const Numbers& numbers) {
  switch (tensor.get_element_type()) {
    case ov::element::u32:
      FillPlaces<std::uint32_t>(tensor, numbers);
      return true;
    case ov::element::i32:
      FillPlaces<std::int32_t>(tensor, numbers);
      return true;
    case ov::element::u64:
      FillPlaces<std::uint64_t>(tensor, numbers);
      return true;
    case ov::element::i64:
      FillPlaces<std::int64_t>(tensor, numbers);
      return true;
    case ov::element::string:
      FillTexts(tensor, numbers);
      return true;
    default:
      return false;
  }
}

}  // namespace

bool FillSeeded(ov::Tensor& tensor, std::uint32_t seed, std::size_t input) {
  const Numbers numbers(seed, input);
  return FillReals(tensor, numbers) || FillNarrow(tensor, numbers) || FillWide(tensor, numbers);
}

}  // namespace vinery

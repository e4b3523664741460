#include "core/packed_strings.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

namespace vinery {
namespace {

constexpr std::uint64_t kLongestString = std::numeric_limits<std::uint32_t>::max();

}  // namespace

Status UnpackStrings(const std::uint8_t* packed, std::uint64_t size, ov::Tensor& tensor) {
  auto* const strings = tensor.data<std::string>();
  const std::size_t count = tensor.get_size();
  for (std::size_t index = 0; index < count; ++index) {
    std::uint32_t length = 0;
    if (size < sizeof(length)) {
      return {StatusCode::kBindingFailed, "string " + std::to_string(index) + " of " + std::to_string(count) +
                                              " begins behind the end of the slab"};
    }
    // Read once: what is checked here is what is copied below.
    std::memcpy(&length, packed, sizeof(length));
    packed += sizeof(length);
    size -= sizeof(length);
    if (length > size) {
      return {StatusCode::kBindingFailed, "string " + std::to_string(index) + " of " + std::to_string(length) +
                                              " bytes does not fit into the " + std::to_string(size) +
                                              " bytes left of the slab"};
    }
    strings[index].assign(reinterpret_cast<const char*>(packed), length);
    packed += length;
    size -= length;
  }
  return Status::Ok();
}

Status PackedSize(const ov::Tensor& tensor, std::uint64_t& size) {
  const auto* const strings = tensor.data<std::string>();
  const std::size_t count = tensor.get_size();
  size = count * kStringLengthBytes;
  for (std::size_t index = 0; index < count; ++index) {
    const std::uint64_t length = strings[index].size();
    if (length > kLongestString) {
      return {StatusCode::kOutputFailed, "string " + std::to_string(index) + " has " + std::to_string(length) +
                                             " bytes, more than 32 bits can say"};
    }
    size += length;
  }
  return Status::Ok();
}

void PackStrings(const ov::Tensor& tensor, std::uint8_t* packed) {
  const auto* const strings = tensor.data<std::string>();
  const std::size_t count = tensor.get_size();
  for (std::size_t index = 0; index < count; ++index) {
    const auto length = static_cast<std::uint32_t>(strings[index].size());
    std::memcpy(packed, &length, sizeof(length));
    packed += sizeof(length);
    packed = std::copy_n(strings[index].data(), length, packed);
  }
}

}  // namespace vinery

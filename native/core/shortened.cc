#include "core/shortened.h"

#include <cstddef>

namespace vinery {
namespace {

constexpr std::size_t kLongestQuote = 128;

/// UTF-16 code units of the character that begins with a byte of UTF-8; none where no character begins.
std::size_t UnitsAt(unsigned char byte) {
  if ((byte & 0xc0U) == 0x80U) return 0;
  return byte >= 0xf0U ? 2 : 1;
}

}  // namespace

std::string Shortened(const std::string& text) {
  std::size_t units = 0;
  std::size_t end = text.size();
  for (std::size_t at = 0; at < text.size(); ++at) {
    units += UnitsAt(static_cast<unsigned char>(text[at]));
    if (units > kLongestQuote && end == text.size()) end = at;
  }
  if (units <= kLongestQuote) return text;
  return text.substr(0, end) + "… (" + std::to_string(units) + " characters)";
}

}  // namespace vinery

#include "ingress/grpc_text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>

namespace vinery {
namespace {

constexpr std::size_t kMostDigits = 8;

std::optional<std::chrono::nanoseconds> UnitOf(char unit) {
  switch (unit) {
    case 'H':
      return std::chrono::hours(1);
    case 'M':
      return std::chrono::minutes(1);
    case 'S':
      return std::chrono::seconds(1);
    case 'm':
      return std::chrono::milliseconds(1);
    case 'u':
      return std::chrono::microseconds(1);
    case 'n':
      return std::chrono::nanoseconds(1);
    default:
      return std::nullopt;
  }
}

bool IsDigit(char byte) { return byte >= '0' && byte <= '9'; }

bool StartsWith(std::string_view text, std::string_view prefix) { return text.substr(0, prefix.size()) == prefix; }

}  // namespace

std::optional<std::chrono::nanoseconds> ParseGrpcTimeout(std::string_view text) {
  if (text.size() < 2 || text.size() > kMostDigits + 1) return std::nullopt;
  const auto unit = UnitOf(text.back());
  const std::string_view digits = text.substr(0, text.size() - 1);
  if (!unit.has_value() || !std::all_of(digits.begin(), digits.end(), IsDigit)) return std::nullopt;
  std::int64_t count = 0;
  for (const char digit : digits) count = count * 10 + (digit - '0');
  // Hours of eight digits are beyond what nanoseconds can count; nobody waits that long.
  constexpr std::chrono::nanoseconds kLongest = std::chrono::hours(24 * 365);
  return count > kLongest / *unit ? kLongest : *unit * count;
}

std::string PercentEncoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte >= ' ' && byte <= '~' && byte != '%') {
      encoded.push_back(character);
    } else {
      encoded.push_back('%');
      encoded.push_back(kDigits[byte >> 4U]);
      encoded.push_back(kDigits[byte & 0xfU]);
    }
  }
  return encoded;
}

bool IsCustomMetadata(std::string_view name) {
  constexpr std::array<std::string_view, 6> kReserved = {"te",         "content-type",    "content-length",
                                                         "user-agent", "accept-encoding", "host"};
  if (name.empty() || name[0] == ':' || StartsWith(name, "grpc-")) return false;
  return std::find(kReserved.begin(), kReserved.end(), name) == kReserved.end();
}

bool IsGrpcContentType(std::string_view value) {
  constexpr std::string_view kType = "application/grpc";
  if (!StartsWith(value, kType)) return false;
  return value.size() == kType.size() || value[kType.size()] == '+' || value[kType.size()] == ';';
}

}  // namespace vinery

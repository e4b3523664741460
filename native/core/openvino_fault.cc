#include "core/openvino_fault.h"

#include <openvino/runtime/exception.hpp>

namespace vinery {
namespace {

constexpr std::size_t kLongestText = 1000;

std::string_view Trim(std::string_view line) {
  const auto first = line.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(" \t\r\n") - first + 1);
}

bool StartsWith(std::string_view line, std::string_view prefix) { return line.substr(0, prefix.size()) == prefix; }

/// `Exception from src/...:12:` and `Check '...' failed at src/...:34:` tell where OpenVINO stands, not what is wrong.
bool IsPlace(std::string_view line) {
  return StartsWith(line, "Exception from ") ||
         (StartsWith(line, "Check '") && line.find("' failed at ") != std::string_view::npos);
}

}  // namespace

std::string ShortenFault(std::string_view text) {
  std::string sentence;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    const auto line = Trim(text.substr(begin, end - begin));
    begin = end + 1;
    if (line.empty() || IsPlace(line)) continue;
    if (!sentence.empty()) sentence += ' ';
    sentence += line;
  }
  if (sentence.empty()) sentence = Trim(text);
  if (sentence.size() > kLongestText) sentence = sentence.substr(0, kLongestText) + "...";
  return sentence;
}

Status StatusFromException(const std::exception_ptr& exception, StatusCode code) {
  try {
    std::rethrow_exception(exception);
  } catch (const ov::Cancelled&) {
    return {StatusCode::kCancelled, "the inference was cancelled"};
  } catch (const std::exception& fault) {
    return {code, ShortenFault(fault.what())};
  } catch (...) {
    return {code, "an exception of unknown type"};
  }
}

}  // namespace vinery

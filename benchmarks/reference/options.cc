#include "options.h"

#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <stdexcept>

namespace reference {
namespace {

double Number(const std::string& name, const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !std::isfinite(value) || value < 0) {
    throw std::invalid_argument("expected a number of at least 0 for --" + name + ", received " + text);
  }
  return value;
}

}  // namespace

Options ParseOptions(int count, const char* const* words) {
  Options options;
  const std::map<std::string, std::function<void(const std::string&)>> setters = {
      {"googlenet", [&](const std::string& text) { options.googlenet = text; }},
      {"resnet", [&](const std::string& text) { options.resnet = text; }},
      {"argmax", [&](const std::string& text) { options.argmax = text; }},
      {"pictures", [&](const std::string& text) { options.pictures = text; }},
      {"hint", [&](const std::string& text) { options.hint = text; }},
      {"calls", [&](const std::string& text) { options.calls = static_cast<std::size_t>(Number("calls", text)); }},
      {"warm-up", [&](const std::string& text) { options.warm_up_seconds = Number("warm-up", text); }},
      {"seconds", [&](const std::string& text) { options.seconds = Number("seconds", text); }},
  };
  for (int at = 1; at < count; at += 2) {
    const std::string word = words[at];
    const auto setter = word.rfind("--", 0) == 0 ? setters.find(word.substr(2)) : setters.end();
    if (setter == setters.end()) throw std::invalid_argument("expected the name of an option, received " + word);
    if (at + 1 == count) throw std::invalid_argument("expected a value after " + word);
    setter->second(words[at + 1]);
  }
  if (options.calls == 0) throw std::invalid_argument("expected at least 1 for --calls, received 0");
  return options;
}

}  // namespace reference

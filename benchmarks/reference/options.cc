#include "options.h"

#include <cmath>
#include <cstdlib>
#include <stdexcept>

namespace reference {

Options::Options(int count, const char* const* words, const std::set<std::string>& names,
                 const std::set<std::string>& flags) {
  for (int at = 1; at < count; ++at) {
    const std::string word = words[at];
    const std::string name = word.rfind("--", 0) == 0 ? word.substr(2) : "";
    if (flags.count(name) > 0) {
      values_[name] = "";
      continue;
    }
    if (names.count(name) == 0) throw std::invalid_argument("expected the name of an option, received " + word);
    at += 1;
    if (at == count) throw std::invalid_argument("expected a value after " + word);
    values_[name] = words[at];
  }
}

const std::string& Options::required(const std::string& name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) throw std::invalid_argument("expected the option --" + name + ", received none");
  return found->second;
}

std::string Options::text(const std::string& name, const std::string& otherwise) const {
  return has(name) ? required(name) : otherwise;
}

double Options::number(const std::string& name, double otherwise) const {
  if (!has(name)) return otherwise;
  const std::string& text = required(name);
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !std::isfinite(value) || value < 0) {
    throw std::invalid_argument("expected a number of at least 0 for --" + name + ", received " + text);
  }
  return value;
}

std::size_t Options::count(const std::string& name, std::size_t otherwise) const {
  const double value = number(name, static_cast<double>(otherwise));
  if (value < 1 || value != std::floor(value)) {
    throw std::invalid_argument("expected a whole number of at least 1 for --" + name + ", received " + required(name));
  }
  return static_cast<std::size_t>(value);
}

}  // namespace reference

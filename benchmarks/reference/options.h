#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>

namespace reference {

/// A command line of `--name value` pairs and of flags without a value.
class Options {
 public:
  /// Throws std::invalid_argument with a sentence for a name that is in neither set, and for a missing value.
  Options(int count, const char* const* words, const std::set<std::string>& names, const std::set<std::string>& flags);

  bool has(const std::string& name) const { return values_.count(name) > 0; }
  /// Throws std::invalid_argument when the option was not given.
  const std::string& required(const std::string& name) const;
  std::string text(const std::string& name, const std::string& otherwise) const;
  /// Throws std::invalid_argument for what is no number, or below 0.
  double number(const std::string& name, double otherwise) const;
  /// Throws std::invalid_argument for what is no whole number of at least 1.
  std::size_t count(const std::string& name, std::size_t otherwise) const;

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace reference

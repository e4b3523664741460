#pragma once

#include <cstddef>
#include <string>

namespace reference {

/// What to run and how long; see `main.cc` for the command line.
struct Options {
  std::string googlenet;
  std::string resnet;
  std::string argmax;
  /// Raw f32 pictures in the networks' layout, one after the other.
  std::string pictures;
  /// OpenVINO's PERFORMANCE_HINT.
  std::string hint = "LATENCY";
  std::size_t calls = 1;
  double warm_up_seconds = 1;
  double seconds = 5;
};

/// Reads `--name value` pairs. Throws std::invalid_argument with a sentence for everything else.
Options ParseOptions(int count, const char* const* words);

}  // namespace reference

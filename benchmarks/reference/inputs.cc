#include "inputs.h"

#include <fstream>
#include <stdexcept>

namespace reference {

Inputs::Inputs(const std::string& file, std::size_t elements) : elements_(elements) {
  std::ifstream stream(file, std::ios::binary | std::ios::ate);
  if (!stream) throw std::runtime_error("expected inputs in " + file + ", found no file that can be read");
  const auto bytes = static_cast<std::size_t>(stream.tellg());
  const std::size_t input_bytes = elements * sizeof(float);
  if (bytes == 0 || bytes % input_bytes != 0) {
    throw std::runtime_error("expected inputs of " + std::to_string(input_bytes) + " bytes in " + file +
                             ", found a file of " + std::to_string(bytes));
  }
  values_.resize(bytes / sizeof(float));
  stream.seekg(0);
  stream.read(reinterpret_cast<char*>(values_.data()), static_cast<std::streamsize>(bytes));
  if (!stream) throw std::runtime_error("could not read " + file);
}

}  // namespace reference

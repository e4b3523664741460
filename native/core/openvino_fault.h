#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "core/status.h"

namespace vinery {

/// Turns an exception of OpenVINO into a status with the given code; a cancelled inference is always `kCancelled`.
Status StatusFromException(const std::exception_ptr& exception, StatusCode code);

/// The sentence of an OpenVINO exception that means something: source places, failed conditions and blank lines go,
/// because an exception passes several layers and each puts its own file and line in front.
std::string ShortenFault(std::string_view text);

/// Runs a call into OpenVINO. This is the one way by which its exceptions leave `core/`.
template <typename Call>
Status Guard(StatusCode code, Call&& call) {
  try {
    std::forward<Call>(call)();
    return Status::Ok();
  } catch (...) {
    return StatusFromException(std::current_exception(), code);
  }
}

}  // namespace vinery

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace vinery {

/// The value of `grpc-timeout`: up to eight digits and a unit. None when it is no such text.
std::optional<std::chrono::nanoseconds> ParseGrpcTimeout(std::string_view text);

/// `text` as `grpc-message` carries it: bytes beyond printable ASCII, and %, are percent-encoded.
std::string PercentEncoded(std::string_view text);

/// Whether a request header belongs to the caller, and not to HTTP or gRPC.
bool IsCustomMetadata(std::string_view name);

/// `application/grpc`, alone or with a suffix or parameters.
bool IsGrpcContentType(std::string_view value);

}  // namespace vinery

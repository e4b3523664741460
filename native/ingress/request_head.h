#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ingress/ingress_event.h"

namespace vinery {

/// The headers of one request, as far as they matter.
class RequestHead {
 public:
  enum class Encoding : std::uint8_t { kIdentity, kGzip, kDeflate, kUnknown };

  /// Takes a header; what exceeds `limit` in all, counted as HTTP/2 does, is only counted.
  void Add(std::string_view name, std::string_view value, std::size_t limit);

  const std::string& path() const { return path_; }
  const std::string& method() const { return method_; }
  const std::string& content_type() const { return content_type_; }
  bool has_timeout() const { return has_timeout_; }
  /// None when it was no timeout.
  std::optional<std::chrono::nanoseconds> timeout() const { return timeout_; }
  Encoding encoding() const { return encoding_; }
  /// With all names and values.
  std::size_t size() const { return size_; }
  /// Names and values of what the caller added, in turn.
  const EventTexts& metadata() const { return metadata_; }
  /// The words of `grpc-encoding`.
  const std::string& encoding_text() const { return encoding_text_; }

 private:
  void AddGrpc(std::string_view name, std::string_view value);

  std::string path_;
  std::string method_;
  std::string content_type_;
  std::string encoding_text_;
  bool has_timeout_ = false;
  std::optional<std::chrono::nanoseconds> timeout_;
  Encoding encoding_ = Encoding::kIdentity;
  std::size_t size_ = 0;
  EventTexts metadata_;
};

}  // namespace vinery

#include "ingress/request_head.h"

#include "ingress/grpc_text.h"

namespace vinery {
namespace {

/// What HTTP/2 counts for an entry beside its bytes.
constexpr std::size_t kEntryBytes = 32;

RequestHead::Encoding EncodingOf(std::string_view value) {
  if (value == "identity") return RequestHead::Encoding::kIdentity;
  if (value == "gzip") return RequestHead::Encoding::kGzip;
  return value == "deflate" ? RequestHead::Encoding::kDeflate : RequestHead::Encoding::kUnknown;
}

}  // namespace

void RequestHead::Add(std::string_view name, std::string_view value, std::size_t limit) {
  size_ += name.size() + value.size() + kEntryBytes;
  if (size_ > limit) return;
  if (name == ":path") {
    path_ = value;
  } else if (name == ":method") {
    method_ = value;
  } else if (name == "content-type") {
    content_type_ = value;
  } else if (IsCustomMetadata(name)) {
    metadata_.emplace_back(name);
    metadata_.emplace_back(value);
  } else {
    AddGrpc(name, value);
  }
}

void RequestHead::AddGrpc(std::string_view name, std::string_view value) {
  if (name == "grpc-timeout") {
    has_timeout_ = true;
    timeout_ = ParseGrpcTimeout(value);
  } else if (name == "grpc-encoding") {
    encoding_text_ = value;
    encoding_ = EncodingOf(value);
  }
}

}  // namespace vinery

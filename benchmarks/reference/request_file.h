#pragma once

#include <grpcpp/grpcpp.h>

#include <string>
#include <vector>

namespace reference {

/// Ready-made messages: a file of messages, each behind its length in bytes as a little-endian u32. Throws
/// std::runtime_error when it holds none, or not whole ones.
std::vector<grpc::ByteBuffer> ReadRequests(const std::string& file);

/// The bytes of a message in one piece.
std::string Bytes(const grpc::ByteBuffer& message);

}  // namespace reference

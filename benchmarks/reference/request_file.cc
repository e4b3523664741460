#include "request_file.h"

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace reference {

std::vector<grpc::ByteBuffer> ReadRequests(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw std::runtime_error("expected requests in " + file + ", found no file that can be read");
  const std::string content((std::istreambuf_iterator<char>(stream)), {});
  std::vector<grpc::ByteBuffer> requests;
  for (std::size_t at = 0; at < content.size();) {
    std::uint32_t length = 0;
    if (content.size() - at < sizeof length) throw std::runtime_error("expected whole requests in " + file);
    std::memcpy(&length, content.data() + at, sizeof length);
    at += sizeof length;
    if (content.size() - at < length) throw std::runtime_error("expected whole requests in " + file);
    const grpc::Slice slice(content.data() + at, length);
    requests.emplace_back(&slice, 1);
    at += length;
  }
  if (requests.empty()) throw std::runtime_error("expected requests in " + file + ", found none");
  return requests;
}

std::string Bytes(const grpc::ByteBuffer& message) {
  std::vector<grpc::Slice> slices;
  if (!message.Dump(&slices).ok()) throw std::runtime_error("expected an answer, received none");
  std::string bytes;
  for (const grpc::Slice& slice : slices) bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

}  // namespace reference

#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

/// The part of nghttp2's binary interface that the ingress uses, under names of ours. Node.js carries nghttp2 and
/// exports its functions, but ships no header of it; with these few declarations the addon builds on every machine and
/// is the same on all of them. The interface is that of version 1 (soname 14), which only ever grew; `nghttp2_check.cc`
/// compares this file with the system's header where there is one, and `Nghttp2Fault` looks at what is really there
/// before anything is called.
namespace vinery::nghttp2 {

/// Opaque.
struct Session;
struct Option;
struct Callbacks;

struct FrameHead {
  std::size_t length;
  std::int32_t stream_id;
  std::uint8_t type;
  std::uint8_t flags;
  std::uint8_t reserved;
};

/// Every frame begins with its head, and of nothing but a ping more is read here.
struct Frame {
  FrameHead head;
};

struct PingFrame {
  FrameHead head;
  std::uint8_t payload[8];
};

struct HeaderField {
  std::uint8_t* name;
  std::uint8_t* value;
  std::size_t name_length;
  std::size_t value_length;
  std::uint8_t flags;
};

struct SettingsEntry {
  std::int32_t id;
  std::uint32_t value;
};

union DataSource {
  int fd;
  void* pointer;
};

using ReadBody = ssize_t (*)(Session*, std::int32_t stream, std::uint8_t* buffer, std::size_t length,
                             std::uint32_t* flags, DataSource*, void* user);

struct DataProvider {
  DataSource source;
  ReadBody read;
};

inline constexpr std::uint8_t kData = 0;
inline constexpr std::uint8_t kHeaders = 1;
inline constexpr std::uint8_t kSettings = 4;
inline constexpr std::uint8_t kPing = 6;
inline constexpr std::uint8_t kGoaway = 7;
inline constexpr std::uint8_t kWindowUpdate = 8;

inline constexpr std::uint8_t kFlagNone = 0;
inline constexpr std::uint8_t kFlagEndStream = 1;
inline constexpr std::uint8_t kFlagAck = 1;
inline constexpr std::uint8_t kFlagPadded = 8;

inline constexpr std::uint32_t kBodyEnds = 1;
inline constexpr std::uint32_t kTrailersFollow = 2;
inline constexpr std::uint32_t kBodyNotCopied = 4;

inline constexpr std::int32_t kMaxConcurrentStreams = 3;
inline constexpr std::int32_t kInitialWindowSize = 4;
inline constexpr std::int32_t kMaxFrameSize = 5;
inline constexpr std::int32_t kMaxHeaderListSize = 6;

inline constexpr int kWouldBlock = -504;
inline constexpr int kDeferred = -508;
inline constexpr int kNoMemory = -901;
inline constexpr int kCallbackFailure = -902;
inline constexpr int kBadClientMagic = -903;
inline constexpr int kFlooded = -904;

inline constexpr std::uint32_t kNoError = 0;
inline constexpr std::uint32_t kInternalError = 2;
inline constexpr std::uint32_t kRefusedStream = 7;
inline constexpr std::uint32_t kEnhanceYourCalm = 11;

}  // namespace vinery::nghttp2

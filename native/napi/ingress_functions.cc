#include <cstring>
#include <string>
#include <system_error>
#include <utility>

#include "ingress/nghttp2_functions.h"
#include "napi/conversions.h"
#include "napi/environment.h"
#include "napi/functions.h"

namespace vinery {
namespace {

/// Of gRPC's prefix: whether the message is compressed, then its length.
constexpr std::size_t kPrefixBytes = 5;

IngressBridge& Bridge(const Napi::CallbackInfo& info) { return Environment::Of(info.Env()).OpenedIngress(info.Env()); }

Napi::Object ReadRecord(const Napi::Value& value, const std::string& name) {
  if (!value.IsObject()) ThrowTypeError(value.Env(), name + ": expected an object");
  return value.As<Napi::Object>();
}

Napi::Array ReadArray(const Napi::Value& value, const std::string& name) {
  if (!value.IsArray()) ThrowTypeError(value.Env(), name + ": expected an array");
  return value.As<Napi::Array>();
}

/// A region's number, or -1 for none.
std::int32_t ReadRegion(const Napi::Value& value) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -2;
  if (number == -1) return -1;
  return static_cast<std::int32_t>(ReadUint32(value, "region"));
}

std::vector<Descriptor> ReadListeners(const Napi::Value& value) {
  const Napi::Array array = ReadArray(value, "settings.listeners");
  std::vector<Descriptor> listeners;
  listeners.reserve(array.Length());
  for (std::uint32_t index = 0; index < array.Length(); ++index) {
    listeners.emplace_back(static_cast<int>(ReadUint32(array.Get(index), "settings.listeners")));
  }
  return listeners;
}

IngressMethod ReadMethod(const Napi::Value& value) {
  const Napi::Object object = ReadRecord(value, "settings.methods");
  IngressMethod method;
  method.path = ReadString(object.Get("path"), "settings.methods.path");
  method.streaming = ReadBoolean(object.Get("streaming"), "settings.methods.streaming");
  const Napi::Array content = ReadArray(object.Get("content"), "settings.methods.content");
  for (std::uint32_t index = 0; index < content.Length(); ++index) {
    method.content.push_back(ReadUint32(content.Get(index), "settings.methods.content"));
  }
  return method;
}

IngressLimits ReadLimits(const Napi::Value& value) {
  const Napi::Object object = ReadRecord(value, "settings.limits");
  const auto read = [&](const char* name) { return ReadOffset(object.Get(name), name); };
  const auto read32 = [&](const char* name) { return ReadUint32(object.Get(name), name); };
  IngressLimits limits{};
  limits.h2.max_concurrent_streams = read32("maxConcurrentStreams");
  limits.h2.stream_window = read32("streamWindow");
  limits.h2.connection_window = read32("connectionWindow");
  limits.h2.max_frame_size = read32("maxFrameSize");
  limits.h2.max_header_list_size = read32("headerBytes");
  limits.h2.reset_burst = static_cast<std::uint64_t>(FrameBudget::kBurst);
  limits.h2.reset_rate = static_cast<std::uint64_t>(FrameBudget::kPerSecond);
  limits.header_bytes = read("headerBytes");
  limits.message_bytes = read("messageBytes");
  limits.unsent_bytes = read("unsentBytes");
  limits.handed_calls = read("handedCalls");
  limits.kept_bytes = read("keptBytes");
  limits.stock_bytes = read("stockBytes");
  const auto read_time = [&](const char* name) { return std::chrono::milliseconds(read32(name)); };
  limits.life.handshake = read_time("handshakeTimeoutMs");
  limits.life.keepalive_time = read_time("keepaliveTimeMs");
  limits.life.keepalive_timeout = read_time("keepaliveTimeoutMs");
  limits.life.max_idle = read_time("maxIdleMs");
  limits.life.max_age = read_time("maxAgeMs");
  limits.life.age_grace = read_time("maxAgeGraceMs");
  limits.life.farewell = read_time("farewellMs");
  limits.life.quiet = read_time("quietMs");
  limits.life.stalled = read_time("stalledMs");
  limits.life.unfinished = read_time("unfinishedMs");
  limits.stall_patience = read_time("stallPatienceMs");
  return limits;
}

IngressSettings ReadSettings(const Napi::Value& value) {
  const Napi::Object object = ReadRecord(value, "settings");
  IngressSettings settings{};
  settings.limits = ReadLimits(object.Get("limits"));
  settings.shares_loop = ReadBoolean(object.Get("sharesLoop"), "settings.sharesLoop");
  const Napi::Array methods = ReadArray(object.Get("methods"), "settings.methods");
  for (std::uint32_t index = 0; index < methods.Length(); ++index) {
    settings.methods.push_back(ReadMethod(methods.Get(index)));
  }
  // The last, because from here on they are owned.
  settings.listeners = ReadListeners(object.Get("listeners"));
  return settings;
}

std::uint8_t* ResolveRegion(Napi::Env env, double slab, double offset, double length) {
  std::uint8_t* address = nullptr;
  const Status status =
      Environment::Of(env).slabs().Resolve(static_cast<std::uint64_t>(slab), static_cast<std::uint64_t>(offset),
                                           static_cast<std::uint64_t>(length), address);
  if (!status.ok()) ThrowTypeError(env, "regions: " + status.text());
  return address;
}

/// The message's own bytes behind its prefix, whose length is filled in later.
std::vector<std::uint8_t> OwnBytes(const Napi::Value& value, std::size_t length) {
  Napi::Uint8Array bytes = ReadBytes(value, "bytes");
  if (bytes.ByteLength() < length) ThrowTypeError(value.Env(), "byteLength: more than bytes has");
  std::vector<std::uint8_t> own(kPrefixBytes + length);
  if (length > 0) std::memcpy(own.data() + kPrefixBytes, bytes.Data(), length);
  return own;
}

void WritePrefix(std::vector<std::uint8_t>& own, std::uint64_t length) {
  for (std::size_t index = 1; index < kPrefixBytes; ++index) {
    own[index] = static_cast<std::uint8_t>(length >> (8 * (kPrefixBytes - 1 - index)));
  }
}

/// Rows of the table: how many of the own bytes stand before the region, its slab, its offset, its length.
std::shared_ptr<OutMessage> ReadMessage(const Napi::CallbackInfo& info, std::uint32_t rows) {
  const Napi::Env env = info.Env();
  auto own = OwnBytes(info[2], ReadOffset(info[3], "byteLength"));
  auto table = ReadNumbers<Napi::Float64Array>(info[4], napi_float64_array, "regions: expected a Float64Array");
  if (table.ElementLength() < rows * kAnswerRegionStride) ThrowTypeError(env, "regions: fewer rows than regionCount");
  const double* row = table.Data();
  auto length = static_cast<double>(own.size() - kPrefixBytes);
  double before = 0;
  for (std::uint32_t index = 0; index < rows; ++index) {
    before += row[index * kAnswerRegionStride];
    length += row[index * kAnswerRegionStride + 3];
  }
  if (before > static_cast<double>(own.size() - kPrefixBytes))
    ThrowTypeError(env, "regions: more bytes before than there are");
  WritePrefix(own, static_cast<std::uint64_t>(length));
  const std::size_t own_length = own.size();
  auto message = std::make_shared<OutMessage>(std::move(own));
  // The prefix goes with what stands before the first region.
  std::size_t begin = 0;
  std::size_t end = kPrefixBytes;
  for (std::uint32_t index = 0; index < rows; ++index, row += kAnswerRegionStride) {
    end += static_cast<std::size_t>(row[0]);
    message->AddOwn(begin, end - begin);
    message->Add({ResolveRegion(env, row[1], row[2], row[3]), static_cast<std::size_t>(row[3])});
    begin = end;
  }
  message->AddOwn(begin, own_length - begin);
  return message;
}

}  // namespace

Napi::Value IngressFault(const Napi::CallbackInfo& info) { return ToValue(info.Env(), std::string(Nghttp2Fault())); }

void OpenIngress(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Environment& environment = Environment::Of(env);
  static_cast<void>(environment.OpenedCompletions(env));
  if (environment.has_ingress()) ThrowTypeError(env, "ingress: this environment has one already");
  if (const std::string fault(Nghttp2Fault()); !fault.empty()) throw Napi::Error::New(env, fault);
  const auto records = ReadNumbers<Napi::Float64Array>(info[1], napi_float64_array, "records: expected a Float64Array");
  if (records.ElementLength() < kIngressEventStride) ThrowTypeError(env, "records: expected space for one event");
  IngressSettings settings = ReadSettings(info[0]);
  try {
    environment.OpenIngress(env, std::move(settings), records);
  } catch (const std::system_error& error) {
    throw Napi::Error::New(env, error.what());
  }
}

void DrainIngress(const Napi::CallbackInfo& info) { Bridge(info).Drain(); }

void CloseIngress(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::Of(info.Env());
  environment.CloseIngress();
  if (environment.completions().is_open()) environment.completions().Hold(info.Env(), false);
}

Napi::Value TakeIngressEvents(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), Bridge(info).TakeEvents());
}

Napi::Value IngressEventTexts(const Napi::CallbackInfo& info) {
  const EventTexts texts = Bridge(info).TextsOf(ReadUint32(info[0], "index"));
  const Napi::Array array = Napi::Array::New(info.Env(), texts.size());
  for (std::uint32_t index = 0; index < texts.size(); ++index) array.Set(index, texts[index]);
  return array;
}

void GiveIngressRegion(const Napi::CallbackInfo& info) {
  IngressBridge& bridge = Bridge(info);
  const std::uint64_t call = ReadOffset(info[0], "call");
  Region region;
  region.number = static_cast<std::int32_t>(ReadUint32(info[1], "region"));
  region.capacity = ReadOffset(info[4], "byteLength");
  region.base =
      ResolveRegion(info.Env(), ReadUint32(info[2], "slabId"), static_cast<double>(ReadOffset(info[3], "byteOffset")),
                    static_cast<double>(region.capacity));
  bridge.Give(call, region);
}

void SendMessage(const Napi::CallbackInfo& info) {
  IngressBridge& bridge = Bridge(info);
  const std::uint64_t call = ReadOffset(info[0], "call");
  const bool last = ReadBoolean(info[1], "last");
  const std::uint32_t rows = ReadUint32(info[5], "regionCount");
  const std::int32_t region = ReadRegion(info[6]);
  // JavaScript waits for regions to be read, and for the messages of a stream one by one.
  bridge.Send(call, ReadMessage(info, rows), last, rows > 0 || !last, region);
}

void FinishCall(const Napi::CallbackInfo& info) {
  IngressBridge& bridge = Bridge(info);
  IngressCommand command(IngressCommand::Kind::kFinish);
  command.call = ReadOffset(info[0], "call");
  command.code = ReadUint32(info[1], "code");
  command.text = ReadString(info[2], "text");
  const Napi::Array metadata = ReadArray(info[3], "metadata");
  for (std::uint32_t index = 0; index < metadata.Length(); ++index) {
    command.metadata.push_back(ReadString(metadata.Get(index), "metadata"));
  }
  bridge.Finish(std::move(command), ReadRegion(info[4]));
}

void ContinueCall(const Napi::CallbackInfo& info) { Bridge(info).Continue(ReadOffset(info[0], "call")); }

}  // namespace vinery

#include "napi/conversions.h"
#include "napi/environment.h"
#include "napi/functions.h"

namespace vinery {
namespace {

SharedMemoryHolds& HoldsOf(const Napi::CallbackInfo& info) { return Environment::Of(info.Env()).shared_memory(); }

}  // namespace

void RegisterSharedMemory(const Napi::CallbackInfo& info) {
  SharedRegionDescription description{ReadString(info[0], "name"), ReadString(info[1], "key"),
                                      ReadOffset(info[2], "offset"), ReadOffset(info[3], "byteSize")};
  ThrowFault(info.Env(), HoldsOf(info).registry().Register(std::move(description)));
}

Napi::Value UnregisterSharedMemory(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), HoldsOf(info).registry().Unregister(ReadString(info[0], "name")));
}

void UnregisterAllSharedMemory(const Napi::CallbackInfo& info) { HoldsOf(info).registry().UnregisterAll(); }

Napi::Value ListSharedMemory(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::vector<SharedRegionDescription> regions = HoldsOf(info).registry().List();
  Napi::Array list = Napi::Array::New(env, regions.size());
  for (std::uint32_t index = 0; index < regions.size(); ++index) {
    const SharedRegionDescription& region = regions[index];
    const Napi::Object entry = Napi::Object::New(env);
    entry.Set("name", ToValue(env, region.name));
    entry.Set("key", ToValue(env, region.key));
    entry.Set("offset", static_cast<double>(region.offset));
    entry.Set("byteSize", static_cast<double>(region.byte_size));
    list.Set(index, entry);
  }
  return list;
}

Napi::Value BeginSharedMemory(const Napi::CallbackInfo& info) {
  SharedRegionRegistry::Use use;
  ThrowFault(info.Env(), HoldsOf(info).Begin(ReadString(info[0], "name"), use));
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("region", use.id);
  result.Set("byteSize", static_cast<double>(use.byte_size));
  result.Set("isWritable", use.writable);
  result.Set("room", static_cast<double>(use.room));
  return result;
}

Napi::Value MapSharedMemory(const Napi::CallbackInfo& info) {
  const std::uint32_t region = ReadUint32(info[0], "region");
  const Napi::Uint8Array view = ReadSharedBytes(info[1], "memory");
  std::uint64_t begin = 0;
  ThrowFault(info.Env(), HoldsOf(info).Map(region, view, begin));
  return Napi::Number::New(info.Env(), static_cast<double>(begin));
}

Napi::Value IsSharedMemoryBroken(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), HoldsOf(info).IsBroken(ReadUint32(info[0], "region")));
}

void EndSharedMemory(const Napi::CallbackInfo& info) {
  const std::uint32_t region = ReadUint32(info[0], "region");
  if (!HoldsOf(info).End(region)) {
    ThrowTypeError(info.Env(), "region: no request uses region " + std::to_string(region));
  }
}

Napi::Value IsSharedMemoryKnown(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), HoldsOf(info).registry().IsKnown(ReadUint32(info[0], "region")));
}

void UnmapSharedMemory(const Napi::CallbackInfo& info) {
  const std::uint32_t region = ReadUint32(info[0], "region");
  if (!HoldsOf(info).Unmap(region)) {
    ThrowTypeError(info.Env(), "region: a request uses region " + std::to_string(region));
  }
}

}  // namespace vinery

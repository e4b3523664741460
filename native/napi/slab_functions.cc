#include <cstring>

#include "napi/conversions.h"
#include "napi/environment.h"
#include "napi/functions.h"

namespace vinery {
namespace {

std::uint32_t ReadSlabId(const Napi::CallbackInfo& info, const Environment& environment) {
  const std::uint32_t id = ReadUint32(info[0], "slabId");
  if (environment.slabs().Find(id) == nullptr) {
    ThrowTypeError(info.Env(), "slabId: slab " + std::to_string(id) + " is not registered");
  }
  return id;
}

std::uint8_t* ResolveBytes(const Napi::CallbackInfo& info, std::uint64_t length) {
  const Environment& environment = Environment::Of(info.Env());
  std::uint8_t* address = nullptr;
  const Status status =
      environment.slabs().Resolve(ReadSlabId(info, environment), ReadOffset(info[1], "byteOffset"), length, address);
  if (!status.ok()) ThrowTypeError(info.Env(), "byteOffset: " + status.text());
  return address;
}

}  // namespace

Napi::Value RegisterSlab(const Napi::CallbackInfo& info) {
  const Napi::Uint8Array view = ReadSharedBytes(info[0], "slab");
  return Napi::Number::New(info.Env(), Environment::Of(info.Env()).AddSlab(view));
}

void UnregisterSlab(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::Of(info.Env());
  const std::uint32_t id = ReadSlabId(info, environment);
  const Slab& slab = *environment.slabs().Find(id);
  bool used = false;
  environment.completions().flights().ForEach([&](const Flight& flight) { used = used || flight.Uses(slab); });
  if (used) {
    ThrowTypeError(info.Env(),
                   "slabId: slab " + std::to_string(id) + " is in use by a running inference or custom node");
  }
  environment.RemoveSlab(id);
}

Napi::Value SlabAddress(const Napi::CallbackInfo& info) {
  return Napi::BigInt::New(info.Env(),
                           static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(ResolveBytes(info, 0))));
}

void CopyIn(const Napi::CallbackInfo& info) {
  Napi::Uint8Array source = ReadBytes(info[2], "source");
  std::uint8_t* target = ResolveBytes(info, source.ByteLength());
  // The source may lie in the same slab.
  if (source.ByteLength() != 0) std::memmove(target, source.Data(), source.ByteLength());
}

}  // namespace vinery

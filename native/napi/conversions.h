#pragma once

#include <cstdint>
#include <string>

#include "core/compile_specification.h"
#include "core/model_description.h"
#include "core/status.h"
#include "napi/napi_setup.h"

namespace vinery {

/// Readers of arguments. Each throws a `TypeError` of the form `name: expected X, received Y`, where `name` is the path
/// of the field (`specification.shapes[0].name`). JavaScript thread only.
std::string ReadString(const Napi::Value& value, const std::string& name);
bool ReadBoolean(const Napi::Value& value, const std::string& name);
/// A non-negative integer that fits; `name` is plain text because these run on the hot path.
std::uint32_t ReadUint32(const Napi::Value& value, const char* name);
std::int32_t ReadToken(const Napi::Value& value);
std::uint64_t ReadOffset(const Napi::Value& value, const char* name);
/// A view of bytes; Node 20 tells the address of views on shared memory, but not of a bare SharedArrayBuffer.
Napi::Uint8Array ReadBytes(const Napi::Value& value, const char* name);
CompileSpecification ReadCompileSpecification(const Napi::Value& value);

Napi::Value ToValue(Napi::Env env, const ModelDescription& description);
Napi::Value ToValue(Napi::Env env, const std::string& text);

/// `Error` with the name of the status as `code`.
Napi::Error ToError(Napi::Env env, const Status& status);
/// Throws unless ok.
void ThrowFault(Napi::Env env, const Status& status);
[[noreturn]] void ThrowTypeError(Napi::Env env, const std::string& message);

}  // namespace vinery

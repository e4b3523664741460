#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/compile_specification.h"
#include "core/custom_node.h"
#include "core/model_description.h"
#include "core/status.h"
#include "core/trial.h"
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
/// A view of a whole SharedArrayBuffer: a plain ArrayBuffer can be detached under a running inference.
Napi::Uint8Array ReadSharedBytes(const Napi::Value& value, const char* name);
/// A binding table with a row for each of `ports` ports at least.
Napi::Float64Array ReadTable(const Napi::Value& value, std::size_t ports);
CompileSpecification ReadCompileSpecification(const Napi::Value& value);
CustomNodeSpecification ReadCustomNodeSpecification(const Napi::Value& value);
TrialQuestion ReadTrialQuestion(const Napi::Value& value);

Napi::Value ToValue(Napi::Env env, const ModelDescription& description);
/// The bytes of the answers are copied.
Napi::Value ToValue(Napi::Env env, const std::vector<TrialAnswer>& answers);
Napi::Value ToValue(Napi::Env env, const CustomNodeDescription& description);
Napi::Value ToValue(Napi::Env env, const std::vector<CustomNodeOutput>& outputs);
Napi::Value ToValue(Napi::Env env, const std::string& text);

[[noreturn]] void ThrowTypeError(Napi::Env env, const std::string& message);

/// A typed array of one kind; throws a `TypeError` of the given sentence.
template <typename View>
View ReadNumbers(const Napi::Value& value, napi_typedarray_type type, const char* expectation) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != type) {
    ThrowTypeError(value.Env(), expectation);
  }
  return value.As<View>();
}

/// `Error` with the name of the status as `code`.
Napi::Error ToError(Napi::Env env, const Status& status);
/// Throws unless ok.
void ThrowFault(Napi::Env env, const Status& status);

}  // namespace vinery

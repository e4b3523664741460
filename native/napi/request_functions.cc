#include "napi/conversions.h"
#include "napi/environment.h"
#include "napi/functions.h"
#include "napi/handles.h"

namespace vinery {
namespace {

template <typename View>
View ReadView(const Napi::Value& value, napi_typedarray_type type, const char* expectation) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != type) {
    ThrowTypeError(value.Env(), expectation);
  }
  return value.As<View>();
}

const std::shared_ptr<BoundRequest>& IdleRequest(const Napi::CallbackInfo& info) {
  const auto& bound = OpenHandle<BoundRequest>(info[0]);
  if (bound->request->running()) ThrowTypeError(info.Env(), "request: an inference of it is running");
  return bound;
}

}  // namespace

Napi::Value CreateInferRequest(const Napi::CallbackInfo& info) {
  const auto& model = OpenHandle<const CompiledModel>(info[0]);
  const auto table = ReadView<Napi::Float64Array>(info[1], napi_float64_array, "table: expected a Float64Array");
  auto bound = std::make_shared<BoundRequest>();
  ThrowFault(info.Env(), InferRequest::Create(model, bound->request));
  bound->table = Napi::Persistent(table);
  if (bound->TableData() == nullptr) {
    ThrowTypeError(info.Env(), "table: expected at least " +
                                   std::to_string(bound->request->port_count() * kBindingStride) +
                                   " numbers, received " + std::to_string(table.ElementLength()));
  }
  return NewHandle(info.Env(), std::move(bound));
}

void CloseInferRequest(const Napi::CallbackInfo& info) { OpenHandle<BoundRequest>(info[0]).reset(); }

void OpenCompletions(const Napi::CallbackInfo& info) {
  Completions& completions = Environment::Of(info.Env()).completions();
  if (completions.is_open())
    ThrowTypeError(info.Env(), "records: the completions of this environment are open already");
  const auto records = ReadView<Napi::Int32Array>(info[0], napi_int32_array, "records: expected an Int32Array");
  if (records.ElementLength() < kCompletionStride)
    ThrowTypeError(info.Env(), "records: expected space for one record at least");
  if (!info[1].IsFunction()) ThrowTypeError(info.Env(), "drain: expected a function");
  completions.Open(info.Env(), records, info[1].As<Napi::Function>());
}

void Start(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::Of(info.Env());
  const auto& bound = IdleRequest(info);
  const std::int32_t token = ReadToken(info[1]);
  if (!environment.completions().is_open()) ThrowTypeError(info.Env(), "request: completions are not open yet");
  environment.completions().Start(info.Env(), bound, token, environment.slabs());
}

Napi::Value Infer(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::Of(info.Env());
  const auto& bound = IdleRequest(info);
  const StatusCode code = environment.completions().Infer(*bound, ReadToken(info[1]), environment.slabs());
  return Napi::Number::New(info.Env(), static_cast<std::int32_t>(code));
}

void Cancel(const Napi::CallbackInfo& info) { OpenHandle<BoundRequest>(info[0])->request->Cancel(); }

void CopyOutput(const Napi::CallbackInfo& info) {
  InferRequest& request = *IdleRequest(info)->request;
  const std::uint32_t output = ReadUint32(info[1], "outputIndex");
  if (output >= request.output_count()) ThrowTypeError(info.Env(), "outputIndex: no output " + std::to_string(output));
  ThrowFault(info.Env(), request.CopyOutput(output, Environment::Of(info.Env()).slabs(), ReadUint32(info[2], "slabId"),
                                            ReadOffset(info[3], "byteOffset")));
}

Napi::Value TensorAddress(const Napi::CallbackInfo& info) {
  InferRequest& request = *IdleRequest(info)->request;
  const std::uint32_t port = ReadUint32(info[1], "port");
  if (port >= request.port_count()) ThrowTypeError(info.Env(), "port: no port " + std::to_string(port));
  std::uint64_t address = 0;
  ThrowFault(info.Env(), request.TensorAddress(port, address));
  return Napi::BigInt::New(info.Env(), address);
}

Napi::Value TakeError(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), Environment::Of(info.Env()).completions().TakeError(ReadToken(info[0])));
}

Napi::Value InFlight(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), Environment::Of(info.Env()).completions().flights().count());
}

}  // namespace vinery

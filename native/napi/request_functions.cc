#include "napi/conversions.h"
#include "napi/environment.h"
#include "napi/functions.h"
#include "napi/handles.h"

namespace vinery {
namespace {

const std::shared_ptr<BoundRequest>& IdleRequest(const Napi::CallbackInfo& info) {
  const auto& bound = OpenHandle<BoundRequest>(info[0]);
  if (bound->running()) ThrowTypeError(info.Env(), "request: an inference of it is running");
  return bound;
}

/// The infer request that inferred last.
InferRequest& InferredRequest(const Napi::CallbackInfo& info) {
  InferRequest* request = IdleRequest(info)->request();
  if (request == nullptr) ThrowTypeError(info.Env(), "request: nothing was inferred yet");
  return *request;
}

}  // namespace

Napi::Value CreateInferRequest(const Napi::CallbackInfo& info) {
  const auto& model = OpenHandle<const CompiledModel>(info[0]);
  const bool copies_small = !info[2].IsUndefined() && ReadBoolean(info[2], "copiesSmallInputs");
  const std::size_t port_count = model->description().inputs.size() + model->description().outputs.size();
  if (model->shapes() != nullptr) {
    const Napi::Float64Array table = ReadTable(info[1], port_count);
    auto shaped = std::make_unique<ShapedRequest>(model, copies_small);
    return NewHandle(info.Env(), std::make_shared<BoundRequest>(std::move(shaped), port_count, table));
  }
  std::shared_ptr<InferRequest> request;
  ThrowFault(info.Env(), InferRequest::Create(model, model->compiled(), copies_small, request));
  const Napi::Float64Array table = ReadTable(info[1], port_count);
  return NewHandle(info.Env(), std::make_shared<BoundRequest>(std::move(request), table));
}

void CloseInferRequest(const Napi::CallbackInfo& info) { OpenHandle<BoundRequest>(info[0]).reset(); }

void OpenCompletions(const Napi::CallbackInfo& info) {
  Completions& completions = Environment::Of(info.Env()).completions();
  if (completions.is_open())
    ThrowTypeError(info.Env(), "records: the completions of this environment are open already");
  const auto records = ReadNumbers<Napi::Int32Array>(info[0], napi_int32_array, "records: expected an Int32Array");
  if (records.ElementLength() < kCompletionStride)
    ThrowTypeError(info.Env(), "records: expected space for one record at least");
  if (!info[1].IsFunction()) ThrowTypeError(info.Env(), "drain: expected a function");
  completions.Open(info.Env(), records, info[1].As<Napi::Function>());
}

void Start(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::Of(info.Env());
  const auto& bound = IdleRequest(info);
  const std::int32_t token = ReadToken(info[1]);
  environment.OpenedCompletions(info.Env()).Start(info.Env(), bound, token, bound->Bind(environment.slabs()));
}

Napi::Value Infer(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::Of(info.Env());
  const auto& bound = IdleRequest(info);
  const std::int32_t token = ReadToken(info[1]);
  const StatusCode code = environment.completions().Remember(token, bound->Infer(environment.slabs()));
  return Napi::Number::New(info.Env(), static_cast<std::int32_t>(code));
}

void Cancel(const Napi::CallbackInfo& info) { OpenHandle<BoundRequest>(info[0])->Cancel(); }

void CopyOutput(const Napi::CallbackInfo& info) {
  InferRequest& request = InferredRequest(info);
  const std::uint32_t output = ReadUint32(info[1], "outputIndex");
  if (output >= request.output_count()) ThrowTypeError(info.Env(), "outputIndex: no output " + std::to_string(output));
  ThrowFault(info.Env(), request.CopyOutput(output, Environment::Of(info.Env()).slabs(), ReadUint32(info[2], "slabId"),
                                            ReadOffset(info[3], "byteOffset")));
}

Napi::Value TensorAddress(const Napi::CallbackInfo& info) {
  InferRequest& request = InferredRequest(info);
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

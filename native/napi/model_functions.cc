#include <openvino/core/version.hpp>

#include "napi/conversions.h"
#include "napi/environment.h"
#include "napi/functions.h"
#include "napi/handles.h"

namespace vinery {

Napi::Value OpenvinoVersion(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), ov::get_openvino_version().buildNumber);
}

Napi::Value AvailableDevices(const Napi::CallbackInfo& info) {
  std::vector<std::string> devices;
  ThrowFault(info.Env(), Environment::Of(info.Env()).models().registry().ListDevices(devices));
  Napi::Array array = Napi::Array::New(info.Env(), devices.size());
  for (std::uint32_t index = 0; index < devices.size(); ++index) array.Set(index, devices[index]);
  return array;
}

void AddExtension(const Napi::CallbackInfo& info) {
  const std::string path = ReadString(info[0], "libraryPath");
  ThrowFault(info.Env(), Environment::Of(info.Env()).models().registry().AddExtension(path));
}

Napi::Value ReserveModel(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), Environment::Of(info.Env()).models().Reserve());
}

Napi::Value ShareModel(const Napi::CallbackInfo& info) {
  HeldEntries<ModelRegistry>& models = Environment::Of(info.Env()).models();
  const std::uint32_t id = models.registry().Share(OpenHandle<const CompiledModel>(info[0]));
  return Napi::Number::New(info.Env(), models.Hold(id));
}

Napi::Value IsModelKnown(const Napi::CallbackInfo& info) {
  const std::uint32_t id = ReadUint32(info[0], "modelId");
  return Napi::Boolean::New(info.Env(), Environment::Of(info.Env()).models().registry().IsKnown(id));
}

void CompileModel(const Napi::CallbackInfo& info) {
  const std::uint32_t id = ReadUint32(info[0], "modelId");
  const CompileSpecification specification = ReadCompileSpecification(info[1]);
  ThrowFault(info.Env(), Environment::Of(info.Env()).models().registry().Compile(id, specification));
}

void ReleaseModel(const Napi::CallbackInfo& info) {
  const std::uint32_t id = ReadUint32(info[0], "modelId");
  if (!Environment::Of(info.Env()).models().Release(id)) {
    ThrowTypeError(info.Env(), "modelId: this environment holds no model " + std::to_string(id));
  }
}

void LeaveModelsToProcess(const Napi::CallbackInfo& info) {
  Environment::Of(info.Env()).models().registry().LeaveToProcess();
}

Napi::Value OpenModel(const Napi::CallbackInfo& info) {
  std::shared_ptr<const CompiledModel> model;
  ThrowFault(info.Env(), Environment::Of(info.Env()).models().registry().Find(ReadUint32(info[0], "modelId"), model));
  return NewHandle(info.Env(), std::move(model));
}

void CloseModel(const Napi::CallbackInfo& info) { OpenHandle<const CompiledModel>(info[0]).reset(); }

Napi::Value DescribeModel(const Napi::CallbackInfo& info) {
  return ToValue(info.Env(), OpenHandle<const CompiledModel>(info[0])->description());
}

Napi::Value TryModel(const Napi::CallbackInfo& info) {
  const auto& model = OpenHandle<const CompiledModel>(info[0]);
  std::vector<TrialAnswer> answers;
  ThrowFault(info.Env(), TryModel(*model, ReadTrialQuestion(info[1]), answers));
  return ToValue(info.Env(), answers);
}

}  // namespace vinery

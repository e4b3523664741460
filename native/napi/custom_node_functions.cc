#include "napi/conversions.h"
#include "napi/environment.h"
#include "napi/functions.h"
#include "napi/handles.h"

namespace vinery {
namespace {

CustomExecution& EndedExecution(const Napi::CallbackInfo& info) {
  CustomExecution& execution = *OpenHandle<CustomExecution>(info[0]);
  if (execution.running()) ThrowTypeError(info.Env(), "execution: it has not ended yet");
  return execution;
}

}  // namespace

Napi::Value ReserveCustomNode(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), Environment::Of(info.Env()).custom_nodes().Reserve());
}

void InitializeCustomNode(const Napi::CallbackInfo& info) {
  const std::uint32_t id = ReadUint32(info[0], "customNodeId");
  const CustomNodeSpecification specification = ReadCustomNodeSpecification(info[1]);
  ThrowFault(info.Env(), Environment::Of(info.Env()).custom_nodes().registry().Initialize(id, specification));
}

void ReleaseCustomNode(const Napi::CallbackInfo& info) {
  const std::uint32_t id = ReadUint32(info[0], "customNodeId");
  if (!Environment::Of(info.Env()).custom_nodes().Release(id)) {
    ThrowTypeError(info.Env(), "customNodeId: this environment holds no custom node " + std::to_string(id));
  }
}

Napi::Value OpenCustomNode(const Napi::CallbackInfo& info) {
  const std::uint32_t id = ReadUint32(info[0], "customNodeId");
  std::shared_ptr<const CustomNode> node;
  ThrowFault(info.Env(), Environment::Of(info.Env()).custom_nodes().registry().Find(id, node));
  return NewHandle(info.Env(), std::move(node));
}

void CloseCustomNode(const Napi::CallbackInfo& info) { OpenHandle<const CustomNode>(info[0]).reset(); }

Napi::Value DescribeCustomNode(const Napi::CallbackInfo& info) {
  return ToValue(info.Env(), OpenHandle<const CustomNode>(info[0])->description());
}

Napi::Value StartCustomNode(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::Of(info.Env());
  const auto& node = OpenHandle<const CustomNode>(info[0]);
  const Napi::Float64Array table = ReadTable(info[1], node->description().inputs.size());
  const std::int32_t token = ReadToken(info[2]);
  Completions& completions = environment.OpenedCompletions(info.Env());
  const auto execution = std::make_shared<CustomExecution>(node, environment.custom_nodes().registry().threads());
  const Napi::Value handle = NewHandle(info.Env(), execution);
  completions.Start(info.Env(), execution, token, execution->Bind(table.Data(), environment.slabs()));
  return handle;
}

Napi::Value WithdrawCustomExecution(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), OpenHandle<CustomExecution>(info[0])->Withdraw());
}

Napi::Value DescribeCustomOutputs(const Napi::CallbackInfo& info) {
  return ToValue(info.Env(), EndedExecution(info).outputs());
}

void CopyCustomOutput(const Napi::CallbackInfo& info) {
  const CustomExecution& execution = EndedExecution(info);
  const std::uint32_t output = ReadUint32(info[1], "outputIndex");
  if (output >= execution.outputs().size()) {
    ThrowTypeError(info.Env(), "outputIndex: no output " + std::to_string(output));
  }
  ThrowFault(info.Env(), execution.CopyOutput(output, Environment::Of(info.Env()).slabs(),
                                              ReadUint32(info[2], "slabId"), ReadOffset(info[3], "byteOffset")));
}

void CloseCustomExecution(const Napi::CallbackInfo& info) { OpenHandle<CustomExecution>(info[0]).reset(); }

}  // namespace vinery

#pragma once

#include "napi/napi_setup.h"

namespace vinery {

/// The functions of `src/native/binding.ts`, grouped by file, each with the name it has there.

// model_functions.cc
Napi::Value OpenvinoVersion(const Napi::CallbackInfo& info);
Napi::Value AvailableDevices(const Napi::CallbackInfo& info);
void AddExtension(const Napi::CallbackInfo& info);
Napi::Value ReserveModel(const Napi::CallbackInfo& info);
void CompileModel(const Napi::CallbackInfo& info);
Napi::Value ShareModel(const Napi::CallbackInfo& info);
void ReleaseModel(const Napi::CallbackInfo& info);
Napi::Value IsModelKnown(const Napi::CallbackInfo& info);
void LeaveModelsToProcess(const Napi::CallbackInfo& info);
Napi::Value OpenModel(const Napi::CallbackInfo& info);
void CloseModel(const Napi::CallbackInfo& info);
Napi::Value DescribeModel(const Napi::CallbackInfo& info);
Napi::Value TryModel(const Napi::CallbackInfo& info);

// slab_functions.cc
Napi::Value RegisterSlab(const Napi::CallbackInfo& info);
void UnregisterSlab(const Napi::CallbackInfo& info);
Napi::Value SlabAddress(const Napi::CallbackInfo& info);
void CopyIn(const Napi::CallbackInfo& info);

// shared_memory_functions.cc
void RegisterSharedMemory(const Napi::CallbackInfo& info);
Napi::Value UnregisterSharedMemory(const Napi::CallbackInfo& info);
void UnregisterAllSharedMemory(const Napi::CallbackInfo& info);
Napi::Value ListSharedMemory(const Napi::CallbackInfo& info);
Napi::Value BeginSharedMemory(const Napi::CallbackInfo& info);
Napi::Value MapSharedMemory(const Napi::CallbackInfo& info);
Napi::Value IsSharedMemoryBroken(const Napi::CallbackInfo& info);
void EndSharedMemory(const Napi::CallbackInfo& info);
Napi::Value IsSharedMemoryKnown(const Napi::CallbackInfo& info);
void UnmapSharedMemory(const Napi::CallbackInfo& info);

// request_functions.cc
Napi::Value CreateInferRequest(const Napi::CallbackInfo& info);
void CloseInferRequest(const Napi::CallbackInfo& info);
void OpenCompletions(const Napi::CallbackInfo& info);
void Start(const Napi::CallbackInfo& info);
Napi::Value Infer(const Napi::CallbackInfo& info);
void Cancel(const Napi::CallbackInfo& info);
void CopyOutput(const Napi::CallbackInfo& info);
Napi::Value TensorAddress(const Napi::CallbackInfo& info);
Napi::Value TakeError(const Napi::CallbackInfo& info);
Napi::Value InFlight(const Napi::CallbackInfo& info);

// sequence_functions.cc
Napi::Value EnterSequence(const Napi::CallbackInfo& info);
Napi::Value SequenceOf(const Napi::CallbackInfo& info);
Napi::Value HasTurn(const Napi::CallbackInfo& info);
void AwaitTurn(const Napi::CallbackInfo& info);
Napi::Value WithdrawTurn(const Napi::CallbackInfo& info);
void AbandonTurn(const Napi::CallbackInfo& info);
void StartInTurn(const Napi::CallbackInfo& info);
void FinishTurn(const Napi::CallbackInfo& info);
Napi::Value RemoveIdleSequences(const Napi::CallbackInfo& info);
Napi::Value CountSequences(const Napi::CallbackInfo& info);

// custom_node_functions.cc
Napi::Value ReserveCustomNode(const Napi::CallbackInfo& info);
void InitializeCustomNode(const Napi::CallbackInfo& info);
void ReleaseCustomNode(const Napi::CallbackInfo& info);
Napi::Value OpenCustomNode(const Napi::CallbackInfo& info);
void CloseCustomNode(const Napi::CallbackInfo& info);
Napi::Value DescribeCustomNode(const Napi::CallbackInfo& info);
Napi::Value StartCustomNode(const Napi::CallbackInfo& info);
Napi::Value WithdrawCustomExecution(const Napi::CallbackInfo& info);
Napi::Value DescribeCustomOutputs(const Napi::CallbackInfo& info);
void CopyCustomOutput(const Napi::CallbackInfo& info);
void CloseCustomExecution(const Napi::CallbackInfo& info);

// socket_functions.cc
Napi::Value ListenOn(const Napi::CallbackInfo& info);
Napi::Value DuplicateDescriptor(const Napi::CallbackInfo& info);
Napi::Value AcceptWaitingClients(const Napi::CallbackInfo& info);
void CloseSocket(const Napi::CallbackInfo& info);
void HandleIllegalInstruction(const Napi::CallbackInfo& info);

// process_functions.cc
void EndProcess(const Napi::CallbackInfo& info);
Napi::Value ThreadCpuMicros(const Napi::CallbackInfo& info);

// ingress_functions.cc
Napi::Value IngressFault(const Napi::CallbackInfo& info);
void OpenIngress(const Napi::CallbackInfo& info);
void DrainIngress(const Napi::CallbackInfo& info);
void CloseIngress(const Napi::CallbackInfo& info);
Napi::Value TakeIngressEvents(const Napi::CallbackInfo& info);
Napi::Value IngressEventTexts(const Napi::CallbackInfo& info);
void GiveIngressRegion(const Napi::CallbackInfo& info);
void SendMessage(const Napi::CallbackInfo& info);
void FinishCall(const Napi::CallbackInfo& info);
void ContinueCall(const Napi::CallbackInfo& info);

// constant_functions.cc
Napi::Value Constants(const Napi::CallbackInfo& info);

}  // namespace vinery

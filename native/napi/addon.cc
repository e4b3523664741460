#include "napi/environment.h"
#include "napi/functions.h"
#include "napi/napi_setup.h"

namespace vinery {
namespace {

template <auto kFunction>
void Register(Napi::Object& exports, const char* name) {
  exports.Set(name, Napi::Function::New<kFunction>(exports.Env(), name));
}

void RegisterCustomNodes(Napi::Object& exports) {
  Register<ReserveCustomNode>(exports, "reserveCustomNode");
  Register<InitializeCustomNode>(exports, "initializeCustomNode");
  Register<ReleaseCustomNode>(exports, "releaseCustomNode");
  Register<OpenCustomNode>(exports, "openCustomNode");
  Register<CloseCustomNode>(exports, "closeCustomNode");
  Register<DescribeCustomNode>(exports, "describeCustomNode");
  Register<StartCustomNode>(exports, "startCustomNode");
  Register<WithdrawCustomExecution>(exports, "withdrawCustomExecution");
  Register<DescribeCustomOutputs>(exports, "describeCustomOutputs");
  Register<CopyCustomOutput>(exports, "copyCustomOutput");
  Register<CloseCustomExecution>(exports, "closeCustomExecution");
}

void RegisterModels(Napi::Object& exports) {
  Register<ReserveModel>(exports, "reserveModel");
  Register<CompileModel>(exports, "compileModel");
  Register<ShareModel>(exports, "shareModel");
  Register<ReleaseModel>(exports, "releaseModel");
  Register<IsModelKnown>(exports, "isModelKnown");
  Register<LeaveModelsToProcess>(exports, "leaveModelsToProcess");
  Register<OpenModel>(exports, "openModel");
  Register<CloseModel>(exports, "closeModel");
  Register<DescribeModel>(exports, "describeModel");
  Register<TryModel>(exports, "tryModel");
}

void RegisterSequences(Napi::Object& exports) {
  Register<EnterSequence>(exports, "enterSequence");
  Register<SequenceOf>(exports, "sequenceOf");
  Register<HasTurn>(exports, "hasTurn");
  Register<AwaitTurn>(exports, "awaitTurn");
  Register<WithdrawTurn>(exports, "withdrawTurn");
  Register<AbandonTurn>(exports, "abandonTurn");
  Register<StartInTurn>(exports, "startInTurn");
  Register<FinishTurn>(exports, "finishTurn");
  Register<RemoveIdleSequences>(exports, "removeIdleSequences");
  Register<CountSequences>(exports, "countSequences");
}

void RegisterIngress(Napi::Object& exports) {
  Register<IngressFault>(exports, "ingressFault");
  Register<OpenIngress>(exports, "openIngress");
  Register<DrainIngress>(exports, "drainIngress");
  Register<CloseIngress>(exports, "closeIngress");
  Register<TakeIngressEvents>(exports, "takeIngressEvents");
  Register<IngressEventTexts>(exports, "ingressEventTexts");
  Register<GiveIngressRegion>(exports, "giveIngressRegion");
  Register<SendMessage>(exports, "sendMessage");
  Register<FinishCall>(exports, "finishCall");
  Register<ContinueCall>(exports, "continueCall");
}

void RegisterSharedMemoryFunctions(Napi::Object& exports) {
  Register<RegisterSharedMemory>(exports, "registerSharedMemory");
  Register<UnregisterSharedMemory>(exports, "unregisterSharedMemory");
  Register<UnregisterAllSharedMemory>(exports, "unregisterAllSharedMemory");
  Register<ListSharedMemory>(exports, "listSharedMemory");
  Register<BeginSharedMemory>(exports, "beginSharedMemory");
  Register<MapSharedMemory>(exports, "mapSharedMemory");
  Register<IsSharedMemoryBroken>(exports, "isSharedMemoryBroken");
  Register<EndSharedMemory>(exports, "endSharedMemory");
  Register<IsSharedMemoryKnown>(exports, "isSharedMemoryKnown");
  Register<UnmapSharedMemory>(exports, "unmapSharedMemory");
}

/// The names of `NativeBinding` in `src/native/binding.ts`, in its order.
Napi::Object Initialize(Napi::Env env, Napi::Object exports) {
  Environment::Attach(env);
  Register<OpenvinoVersion>(exports, "openvinoVersion");
  Register<AvailableDevices>(exports, "availableDevices");
  Register<Constants>(exports, "constants");
  Register<AddExtension>(exports, "addExtension");
  RegisterModels(exports);
  Register<RegisterSlab>(exports, "registerSlab");
  Register<UnregisterSlab>(exports, "unregisterSlab");
  Register<SlabAddress>(exports, "slabAddress");
  Register<CopyIn>(exports, "copyIn");
  RegisterSharedMemoryFunctions(exports);
  Register<CreateInferRequest>(exports, "createInferRequest");
  Register<CloseInferRequest>(exports, "closeInferRequest");
  Register<Start>(exports, "start");
  Register<Infer>(exports, "infer");
  Register<Cancel>(exports, "cancel");
  Register<CopyOutput>(exports, "copyOutput");
  Register<TensorAddress>(exports, "tensorAddress");
  Register<OpenCompletions>(exports, "openCompletions");
  Register<TakeError>(exports, "takeError");
  Register<InFlight>(exports, "inFlight");
  RegisterSequences(exports);
  RegisterCustomNodes(exports);
  Register<ListenOn>(exports, "listen");
  Register<DuplicateDescriptor>(exports, "duplicate");
  Register<AcceptWaitingClients>(exports, "acceptWaiting");
  Register<CloseSocket>(exports, "closeDescriptor");
  Register<HandleIllegalInstruction>(exports, "exitOnIllegalInstruction");
  Register<EndProcess>(exports, "endProcess");
  Register<ThreadCpuMicros>(exports, "threadCpuMicros");
  RegisterIngress(exports);
  return exports;
}

}  // namespace
}  // namespace vinery

// The macro wants a plain name.
static Napi::Object InitializeAddon(Napi::Env env, Napi::Object exports) { return vinery::Initialize(env, exports); }
NODE_API_MODULE(vinery, InitializeAddon)

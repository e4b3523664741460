#include "napi/conversions.h"
#include "napi/environment.h"
#include "napi/functions.h"
#include "napi/handles.h"

namespace vinery {
namespace {

std::uint64_t ReadSequenceId(const Napi::Value& value) {
  bool lossless = false;
  if (value.IsBigInt()) {
    const std::uint64_t id = value.As<Napi::BigInt>().Uint64Value(&lossless);
    if (lossless) return id;
  }
  ThrowTypeError(value.Env(), "sequenceId: expected a bigint of 64 bits without sign");
}

SequenceControl ReadControl(const Napi::Value& value) {
  const std::uint32_t number = ReadUint32(value, "control");
  if (number > static_cast<std::uint32_t>(SequenceControl::kEnd)) {
    ThrowTypeError(value.Env(), "control: expected 0, 1 or 2, received " + std::to_string(number));
  }
  return static_cast<SequenceControl>(number);
}

SequenceTable& SequencesOf(Napi::Env env, const CompiledModel& model) {
  if (model.sequences() == nullptr) ThrowTypeError(env, "model: expected a stateful model");
  return *model.sequences();
}

}  // namespace

Napi::Value EnterSequence(const Napi::CallbackInfo& info) {
  SequenceTable& sequences = SequencesOf(info.Env(), *OpenHandle<const CompiledModel>(info[0]));
  const std::uint64_t id = ReadSequenceId(info[1]);
  const SequenceControl control = ReadControl(info[2]);
  std::shared_ptr<SequenceTurn> turn;
  ThrowFault(info.Env(), sequences.Enter(id, control, turn));
  return NewHandle(info.Env(), std::move(turn));
}

Napi::Value SequenceOf(const Napi::CallbackInfo& info) {
  return Napi::BigInt::New(info.Env(), OpenHandle<SequenceTurn>(info[0])->sequence_id());
}

Napi::Value HasTurn(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), OpenHandle<SequenceTurn>(info[0])->granted());
}

void AwaitTurn(const Napi::CallbackInfo& info) {
  const auto& turn = OpenHandle<SequenceTurn>(info[0]);
  if (turn->awaited()) ThrowTypeError(info.Env(), "turn: it is awaited already");
  const std::int32_t token = ReadToken(info[1]);
  Environment::Of(info.Env()).OpenedCompletions(info.Env()).Start(info.Env(), turn, token, Status::Ok());
}

Napi::Value WithdrawTurn(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), OpenHandle<SequenceTurn>(info[0])->Withdraw());
}

void AbandonTurn(const Napi::CallbackInfo& info) { OpenHandle<SequenceTurn>(info[0])->Abandon(); }

void StartInTurn(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::Of(info.Env());
  const auto& bound = OpenHandle<BoundRequest>(info[0]);
  if (bound->running()) ThrowTypeError(info.Env(), "request: an inference of it is running");
  const auto& turn = OpenHandle<SequenceTurn>(info[1]);
  const std::int32_t token = ReadToken(info[2]);
  environment.OpenedCompletions(info.Env()).Start(info.Env(), bound, token, bound->BindIn(turn, environment.slabs()));
}

void FinishTurn(const Napi::CallbackInfo& info) {
  auto& turn = OpenHandle<SequenceTurn>(info[0]);
  turn->Finish(ReadBoolean(info[1], "commit"));
  turn.reset();
}

Napi::Value RemoveIdleSequences(const Napi::CallbackInfo& info) {
  std::shared_ptr<const CompiledModel> model;
  ThrowFault(info.Env(), Environment::Of(info.Env()).models().registry().Find(ReadUint32(info[0], "modelId"), model));
  const auto removed = SequencesOf(info.Env(), *model).RemoveIdle();
  Napi::Array ids = Napi::Array::New(info.Env(), removed.size());
  for (std::uint32_t index = 0; index < removed.size(); ++index) {
    ids.Set(index, Napi::BigInt::New(info.Env(), removed[index]));
  }
  return ids;
}

Napi::Value CountSequences(const Napi::CallbackInfo& info) {
  const auto& model = OpenHandle<const CompiledModel>(info[0]);
  return Napi::Number::New(info.Env(), static_cast<double>(SequencesOf(info.Env(), *model).size()));
}

}  // namespace vinery

#include "napi/environment.h"

#include <functional>
#include <memory>
#include <utility>

#include "napi/conversions.h"

namespace vinery {

void Environment::Attach(Napi::Env env) {
  auto environment = std::make_unique<Environment>();
  env.AddCleanupHook([](Environment* ending) { ending->Release(); }, environment.get());
  // Node.js owns it from here on and deletes it with the environment.
  env.SetInstanceData(environment.release());
}

Completions& Environment::OpenedCompletions(Napi::Env env) {
  if (!completions_.is_open()) ThrowTypeError(env, "token: completions are not open yet");
  return completions_;
}

std::uint32_t Environment::AddSlab(const Napi::Uint8Array& view) {
  Napi::Uint8Array bytes = view;
  const std::uint32_t id = slabs_.Add(bytes.Data(), bytes.ByteLength());
  slab_views_[id] = Napi::Persistent(bytes);
  return id;
}

void Environment::RemoveSlab(std::uint32_t id) {
  slabs_.Remove(id);
  slab_views_.erase(id);
}

IngressBridge& Environment::OpenedIngress(Napi::Env env) {
  if (ingress_ == nullptr) ThrowTypeError(env, "ingress: expected an open one");
  return *ingress_;
}

void Environment::OpenIngress(Napi::Env env, IngressSettings settings, const Napi::Float64Array& records) {
  // After that of the completions, so that it runs before: no I/O thread may post to them or touch slabs any more.
  if (!std::exchange(ingress_hooked_, true)) {
    env.AddCleanupHook([](Environment* ending) { ending->CloseIngress(); }, this);
  }
  std::function<void()> tell = [this] { completions_.Notify(kIngressToken); };
  if (settings.shares_loop) tell = [this, env] { completions_.TellNow(env, kIngressToken); };
  ingress_ = std::make_shared<IngressBridge>(env, std::move(settings), records, std::move(tell));
  completions_.Hold(env, true);
}

void Environment::CloseIngress() {
  if (const auto closing = std::exchange(ingress_, nullptr)) closing->Close();
}

void Environment::Release() {
  // First, while the memory that it is mapped over is still held.
  shared_memory_.ReleaseAll();
  slabs_.Clear();
  slab_views_.clear();
  models_.ReleaseAll();
  custom_nodes_.ReleaseAll();
}

}  // namespace vinery

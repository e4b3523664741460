#include "napi/environment.h"

#include <utility>

namespace vinery {

void Environment::Attach(Napi::Env env) {
  auto environment = std::make_unique<Environment>();
  env.AddCleanupHook([](Environment* ending) { ending->Release(); }, environment.get());
  // Node.js owns it from here on and deletes it with the environment.
  env.SetInstanceData(environment.release());
}

Environment::Environment() : registry_(ModelRegistry::Shared()) {}

std::uint32_t Environment::ReserveModel() {
  const std::uint32_t id = registry_->Reserve();
  held_models_.insert(id);
  return id;
}

bool Environment::ReleaseModel(std::uint32_t id) {
  if (held_models_.erase(id) == 0) return false;
  registry_->Release(id);
  return true;
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

void Environment::Release() {
  slabs_.Clear();
  slab_views_.clear();
  for (const std::uint32_t id : held_models_) registry_->Release(id);
  held_models_.clear();
}

}  // namespace vinery

#pragma once

#include <memory>
#include <unordered_map>
#include <unordered_set>

#include "core/model_registry.h"
#include "core/slab_table.h"
#include "napi/completions.h"
#include "napi/napi_setup.h"

namespace vinery {

/// Everything that belongs to one JavaScript environment (main thread or worker): its share of the registry, its slabs
/// and its inferences. Used on its thread only.
class Environment {
 public:
  /// Makes the environment's data; once, when the addon is loaded into it.
  static void Attach(Napi::Env env);
  static Environment& Of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  Environment();

  ModelRegistry& registry() { return *registry_; }
  Completions& completions() { return completions_; }
  const SlabTable& slabs() const { return slabs_; }

  std::uint32_t ReserveModel();
  /// False when this environment does not hold the entry.
  bool ReleaseModel(std::uint32_t id);

  std::uint32_t AddSlab(const Napi::Uint8Array& view);
  void RemoveSlab(std::uint32_t id);

 private:
  /// Runs when the environment ends, after the inferences have ended (`Completions`). JavaScript references and holds
  /// go here and not in the destructor, which runs too late for both.
  void Release();

  std::shared_ptr<ModelRegistry> registry_;
  std::unordered_set<std::uint32_t> held_models_;
  SlabTable slabs_;
  /// Keeps the memory of each slab alive.
  std::unordered_map<std::uint32_t, Napi::Reference<Napi::Uint8Array>> slab_views_;
  Completions completions_;
};

}  // namespace vinery

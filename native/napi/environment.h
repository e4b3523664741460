#pragma once

#include <memory>
#include <unordered_map>

#include "core/custom_node_registry.h"
#include "core/model_registry.h"
#include "core/slab_table.h"
#include "napi/completions.h"
#include "napi/held_entries.h"
#include "napi/ingress_bridge.h"
#include "napi/napi_setup.h"
#include "napi/shared_memory_holds.h"

namespace vinery {

/// Everything that belongs to one JavaScript environment (main thread or worker): its shares of the registries, its
/// slabs and what it has started. Used on its thread only.
class Environment {
 public:
  /// Makes the environment's data; once, when the addon is loaded into it.
  static void Attach(Napi::Env env);
  static Environment& Of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  HeldEntries<ModelRegistry>& models() { return models_; }
  HeldEntries<CustomNodeRegistry>& custom_nodes() { return custom_nodes_; }
  SharedMemoryHolds& shared_memory() { return shared_memory_; }
  Completions& completions() { return completions_; }
  /// Throws a `TypeError` when JavaScript has not opened them yet.
  Completions& OpenedCompletions(Napi::Env env);
  const SlabTable& slabs() const { return slabs_; }
  /// Throws a `TypeError` when there is none.
  IngressBridge& OpenedIngress(Napi::Env env);
  bool has_ingress() const { return ingress_ != nullptr; }
  /// Once the completions are open, and while there is none.
  void OpenIngress(Napi::Env env, IngressSettings settings, const Napi::Float64Array& records);
  /// Harmless when there is none.
  void CloseIngress();

  std::uint32_t AddSlab(const Napi::Uint8Array& view);
  void RemoveSlab(std::uint32_t id);

 private:
  /// Runs when the environment ends, after all flights have ended (`Completions`). JavaScript references and holds
  /// go here and not in the destructor, which runs too late for both.
  void Release();

  HeldEntries<ModelRegistry> models_;
  HeldEntries<CustomNodeRegistry> custom_nodes_;
  SharedMemoryHolds shared_memory_;
  SlabTable slabs_;
  /// Keeps the memory of each slab alive.
  std::unordered_map<std::uint32_t, Napi::Reference<Napi::Uint8Array>> slab_views_;
  Completions completions_;
  /// A turn of it that has JavaScript close it needs it until that has returned.
  std::shared_ptr<IngressBridge> ingress_;
  bool ingress_hooked_ = false;
};

}  // namespace vinery

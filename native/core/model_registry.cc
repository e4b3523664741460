#include "core/model_registry.h"

#include <utility>

#include "core/openvino_fault.h"

namespace vinery {
namespace {

Status NotCompiled(std::uint32_t id, const char* why) {
  return {StatusCode::kNotCompiled, "model " + std::to_string(id) + " " + why};
}

}  // namespace

std::shared_ptr<ModelRegistry> ModelRegistry::Shared() {
  static std::mutex mutex;
  static std::weak_ptr<ModelRegistry> shared;
  const std::scoped_lock lock(mutex);
  auto registry = shared.lock();
  if (registry == nullptr) {
    registry = std::make_shared<ModelRegistry>();
    shared = registry;
  }
  return registry;
}

ModelRegistry::ModelRegistry() : core_(std::make_shared<ov::Core>()) {}

std::uint32_t ModelRegistry::Reserve() {
  const std::scoped_lock lock(mutex_);
  entries_.emplace(++last_id_, Entry{});
  return last_id_;
}

Status ModelRegistry::Compile(std::uint32_t id, const CompileSpecification& specification) {
  if (Status status = Take(id); !status.ok()) return status;
  std::shared_ptr<const CompiledModel> model;
  Status compiled = CompiledModel::Compile(core_, specification, model);
  Status stored = Store(id, std::move(model));
  return compiled.ok() ? std::move(stored) : std::move(compiled);
}

Status ModelRegistry::Take(std::uint32_t id) {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return NotCompiled(id, "is unknown");
  if (found->second.taken) return NotCompiled(id, "is compiled already or is being compiled");
  found->second.taken = true;
  return Status::Ok();
}

Status ModelRegistry::Store(std::uint32_t id, std::shared_ptr<const CompiledModel> model) {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return NotCompiled(id, "was released while it was compiled");
  found->second.taken = model != nullptr;
  found->second.model = std::move(model);
  return Status::Ok();
}

void ModelRegistry::Release(std::uint32_t id) {
  // Freeing a compiled model takes time and joins threads: not under the lock.
  Entry released;
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  released = std::move(found->second);
  entries_.erase(found);
}

Status ModelRegistry::Find(std::uint32_t id, std::shared_ptr<const CompiledModel>& model) const {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return NotCompiled(id, "is unknown");
  if (found->second.model == nullptr) return NotCompiled(id, "is not compiled");
  model = found->second.model;
  return Status::Ok();
}

Status ModelRegistry::AddExtension(const std::string& library_path) {
  return Guard(StatusCode::kExtensionFailed, [&] { core_->add_extension(library_path); });
}

Status ModelRegistry::ListDevices(std::vector<std::string>& devices) const {
  return Guard(StatusCode::kInternal, [&] { devices = core_->get_available_devices(); });
}

}  // namespace vinery

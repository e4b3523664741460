#include "core/model_registry.h"

#include "core/openvino_fault.h"
#include "core/thread_binding.h"

namespace vinery {
namespace {

std::shared_ptr<ov::Core> MakeCore() {
  LeaveThreadsUnbound();
  return std::make_shared<ov::Core>();
}

}  // namespace

ModelRegistry::ModelRegistry()
    : core_(MakeCore()),
      shape_threads_(std::make_shared<ShapeThreads>()),
      models_({StatusCode::kNotCompiled, "model", "compiled"}) {}

Status ModelRegistry::Compile(std::uint32_t id, const CompileSpecification& specification) {
  return models_.Fill(id, [&](std::shared_ptr<const CompiledModel>& model) {
    return CompiledModel::Compile(core_, specification, shape_threads_, model);
  });
}

Status ModelRegistry::AddExtension(const std::string& library_path) {
  return Guard(StatusCode::kExtensionFailed, [&] { core_->add_extension(library_path); });
}

Status ModelRegistry::ListDevices(std::vector<std::string>& devices) const {
  return Guard(StatusCode::kInternal, [&] { devices = core_->get_available_devices(); });
}

}  // namespace vinery

#include "core/model_registry.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <new>
#include <openvino/core/op_extension.hpp>
#include <thread>

#include "core/checked_values.h"
#include "core/openvino_fault.h"
#include "core/thread_binding.h"

namespace vinery {
namespace {

constexpr std::chrono::seconds kIdleTime{5};

/// An inference has a core busy and waits for nothing.
std::size_t MostThreads() { return std::max(1U, std::thread::hardware_concurrency()); }

std::shared_ptr<ov::Core> MakeCore() {
  LeaveThreadsUnbound();
  auto core = std::make_shared<ov::Core>();
  // Models in a cache have checks, too.
  core->add_extension<CheckedValues>();
  return core;
}

}  // namespace

ModelRegistry::ModelRegistry()
    : core_(MakeCore()),
      threads_{std::make_shared<ThreadPool>(MostThreads(), kIdleTime), std::make_shared<ShapeThreads>()},
      models_({StatusCode::kNotCompiled, "model", "compiled"}) {}

ModelRegistry::~ModelRegistry() { threads_.inference->Stop(); }

Status ModelRegistry::Compile(std::uint32_t id, const CompileSpecification& specification) {
  return models_.Fill(id, [&](std::shared_ptr<const CompiledModel>& model) {
    return CompiledModel::Compile(core_, threads_, specification, model);
  });
}

void ModelRegistry::LeaveToProcess() const {
  // Never destroyed: the destructors of other libraries run at the end of the process, too.
  using Models = std::vector<std::shared_ptr<const CompiledModel>>;
  alignas(Models) static std::array<std::byte, sizeof(Models)> room;
  static auto& left = *::new (room.data()) Models();
  static std::mutex mutex;
  const auto models = models_.All();
  const std::scoped_lock lock(mutex);
  left.insert(left.end(), models.begin(), models.end());
}

Status ModelRegistry::AddExtension(const std::string& library_path) {
  return Guard(StatusCode::kExtensionFailed, [&] { core_->add_extension(library_path); });
}

Status ModelRegistry::ListDevices(std::vector<std::string>& devices) const {
  return Guard(StatusCode::kInternal, [&] { devices = core_->get_available_devices(); });
}

}  // namespace vinery

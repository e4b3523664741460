#include "core/stream_guard.h"

#include <algorithm>
#include <openvino/op/util/multi_subgraph_base.hpp>
#include <openvino/runtime/properties.hpp>
#include <optional>
#include <vector>

#include "core/constant_chains.h"
#include "core/openvino_fault.h"

namespace vinery {
namespace {

constexpr const char* kCpu = "CPU";

/// Nothing where the device does not know the property. Some devices answer to more than they list.
template <typename Property>
auto TryGet(const ov::CompiledModel& compiled, const Property& property) {
  std::optional<decltype(compiled.get_property(property))> value;
  if (!Guard(StatusCode::kInternal, [&] { value = compiled.get_property(property); }).ok()) value.reset();
  return value;
}

/// AUTO and others do not tell the streams of the device below them, but how many inferences there should be.
bool HasSeveralStreams(const ov::CompiledModel& compiled) {
  if (const auto streams = TryGet(compiled, ov::num_streams)) return streams->num > 1;
  return TryGet(compiled, ov::optimal_number_of_infer_requests).value_or(1) > 1;
}

/// Devices that execute the model; AUTO writes one in brackets while another one still compiles.
struct Executing {
  bool has_cpu = false;
  bool has_other = false;
};

Executing FindExecuting(const ov::CompiledModel& compiled) {
  Executing executing;
  for (const std::string& device : TryGet(compiled, ov::execution_devices).value_or(std::vector<std::string>{kCpu})) {
    const bool is_cpu = device.find(kCpu) != std::string::npos;
    executing.has_cpu |= is_cpu;
    executing.has_other |= !is_cpu;
  }
  return executing;
}

ov::CompiledModel CompileForOneStream(ov::Core& core, const std::shared_ptr<const ov::Model>& model) {
  return core.compile_model(model, kCpu, ov::num_streams(1));
}

/// Of several devices the runtime model shows one only, perhaps not CPU.
OperationNames FindChains(ov::Core& core, const std::shared_ptr<ov::Model>& model, const ov::CompiledModel& compiled) {
  const Executing executing = FindExecuting(compiled);
  if (!executing.has_cpu) return {};
  const ov::CompiledModel shown = executing.has_other ? CompileForOneStream(core, model) : compiled;
  return FindConstantChains(*shown.get_runtime_model());
}

/// Bodies of the loops and branches of a model, and those inside them, innermost first.
std::vector<std::shared_ptr<ov::Model>> FindBodies(const ov::Model& model) {
  std::vector<std::shared_ptr<ov::Model>> bodies;
  for (const auto& operation : model.get_ordered_ops()) {
    const auto holder = ov::as_type_ptr<ov::op::util::MultiSubGraphOp>(operation);
    if (holder == nullptr) continue;
    for (std::size_t index = 0; index < holder->get_internal_subgraphs_size(); ++index) {
      const std::shared_ptr<ov::Model>& body = holder->get_function(index);
      const auto inner = FindBodies(*body);
      bodies.insert(bodies.end(), inner.begin(), inner.end());
      bodies.push_back(body);
    }
  }
  return bodies;
}

/// A copy of a body is compiled by itself, because the runtime model of the whole does not show it.
OperationNames FindBodyChains(ov::Core& core, const std::shared_ptr<ov::Model>& body) {
  if (!HasExecutedConstants(*body)) return {};
  return FindConstantChains(*CompileForOneStream(core, body).get_runtime_model());
}

bool HasBodyChains(ov::Core& core, const ov::Model& model) {
  const auto bodies = FindBodies(model);
  return std::any_of(bodies.begin(), bodies.end(),
                     [&core](const auto& body) { return !FindBodyChains(core, body).empty(); });
}

void FoldBodyChains(ov::Core& core, const ov::Model& model) {
  for (const auto& body : FindBodies(model)) FoldConstants(*body, FindBodyChains(core, body));
}

/// What the properties say of streams gives way, on CPU itself or below other devices. AUTO and MULTI prefer what is
/// said of CPU.
ov::AnyMap WithOneStream(ov::AnyMap properties, const std::string& device) {
  if (device.compare(0, 4, "AUTO") == 0 || device.compare(0, 5, "MULTI") == 0) {
    properties[ov::device::properties.name()] = ov::AnyMap{{kCpu, ov::AnyMap{ov::num_streams(1)}}};
  }
  properties[ov::num_streams.name()] = ov::streams::Num(1);
  return properties;
}

}  // namespace

GuardedModel CompileGuarded(ov::Core& core, const std::shared_ptr<ov::Model>& model, const std::string& device,
                            const ov::AnyMap& properties) {
  ov::CompiledModel compiled = core.compile_model(model, device, properties);
  if (!HasSeveralStreams(compiled) || !FindExecuting(compiled).has_cpu) return {compiled};
  const OperationNames chains = FindChains(core, model, compiled);
  if (chains.empty() && !HasBodyChains(core, *model)) return {compiled};
  // Its memory goes before the next one takes as much.
  compiled = {};
  const auto folded = model->clone();
  FoldConstants(*folded, chains);
  FoldBodyChains(core, *folded);
  compiled = core.compile_model(folded, device, properties);
  if (FindChains(core, folded, compiled).empty() && !HasBodyChains(core, *folded)) return {compiled};
  compiled = core.compile_model(model, device, WithOneStream(properties, device));
  OPENVINO_ASSERT(!HasSeveralStreams(compiled), "expected one stream, because the constants of the model cannot be shared ",
                  "by several; received more from device ", device);
  return {compiled, true};
}

}  // namespace vinery

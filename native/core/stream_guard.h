#pragma once

#include <memory>
#include <openvino/runtime/core.hpp>
#include <string>

namespace vinery {

/// A compiled model that answers the same on each of its streams.
struct GuardedModel {
  ov::CompiledModel compiled;
  /// The device was asked for several streams and has one, because no more of them would have answered rightly.
  bool limited_to_one_stream = false;
};

/// Compiles a model for a device. With several streams on CPU it sees to it that each of them answers what one does.
///
/// OpenVINO (2024.6.0 to 2026.4.1) executes what depends on constants only while it builds a stream's graph. All
/// streams have one memory for the results. A node that writes over its own input, as an Eltwise does, then works on
/// what another stream has worked on already, and the model answers garbage for as long as it lives.
///
/// The runtime model tells which nodes could do that. The operations that they came from are folded in a copy of the
/// model, which is compiled instead. Nothing else is folded: more would take memory and change answers. Where such
/// nodes are left, the model gets one stream. Bodies of loops and branches do not show in the runtime model, so each
/// that could have such nodes is compiled by itself.
///
/// @throws ov::Exception when the model cannot be compiled.
GuardedModel CompileGuarded(ov::Core& core, const std::shared_ptr<ov::Model>& model, const std::string& device,
                            const ov::AnyMap& properties);

}  // namespace vinery

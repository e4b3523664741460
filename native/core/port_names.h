#pragma once

#include <cstddef>
#include <openvino/core/model.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/compile_specification.h"
#include "core/status.h"

namespace vinery {

/// A port by the names that its model and its clients have for it.
struct PortName {
  /// Sorted; empty for a nameless port.
  std::vector<std::string> tensors;
  /// Which of them stands for this port. A nameless port is called by its kind and place.
  std::string own;
  /// What clients, pipelines and the configuration say; unlike that of any other input, or output, once checked.
  std::string served;
};

/// In the order of the model.
struct PortNames {
  std::vector<PortName> inputs;
  std::vector<PortName> outputs;
};

/// Names the ports of a model. Of the names of its tensor a port has one that is mapped, else the first. What a port
/// before has is left out, so that two outputs of one tensor differ. A nameless port is called `in_<index>` or
/// `out_<index>` (as OVMS 2026.2.1). Where a port has that name, the number of ports is added to the index.
PortNames NamePorts(const ov::Model& model, const NameMapping& mapping);

/// Refuses a mapping of a tensor that is not there, and two ports of one name.
Status CheckNames(const PortNames& names, const NameMapping& mapping);

/// The place of the port that is served under a name.
std::optional<std::size_t> FindPort(const std::vector<PortName>& ports, const std::string& name);

/// The served names, for messages.
std::string ServedNames(const std::vector<PortName>& ports);

}  // namespace vinery

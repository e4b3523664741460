#include "core/port_names.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace vinery {
namespace {

std::string Joined(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

/// Null for a tensor without an entry.
const std::string* FindMapped(const MappedNames& mapped, const std::string& tensor) {
  const auto found =
      std::find_if(mapped.begin(), mapped.end(), [&tensor](const auto& entry) { return entry.first == tensor; });
  return found == mapped.end() ? nullptr : &found->second;
}

/// @param tensors one at least.
std::string ChooseName(const std::vector<std::string>& tensors, const std::set<std::string>& taken,
                       const MappedNames& mapped) {
  std::vector<std::string> free;
  std::copy_if(tensors.begin(), tensors.end(), std::back_inserter(free),
               [&taken](const std::string& name) { return taken.count(name) == 0; });
  const auto& names = free.empty() ? tensors : free;
  const auto chosen = std::find_if(names.begin(), names.end(),
                                   [&mapped](const std::string& name) { return FindMapped(mapped, name) != nullptr; });
  return chosen == names.end() ? names.front() : *chosen;
}

/// Nameless ports come last: a name that the model gives is never taken from it.
std::vector<PortName> NameSide(const std::vector<ov::Output<const ov::Node>>& ports, const std::string& kind,
                               const MappedNames& mapped) {
  std::vector<PortName> names;
  std::set<std::string> taken;
  for (const auto& port : ports) {
    PortName& name = names.emplace_back();
    name.tensors.assign(port.get_names().begin(), port.get_names().end());
    std::sort(name.tensors.begin(), name.tensors.end());
    if (!name.tensors.empty()) taken.insert(name.own = ChooseName(name.tensors, taken, mapped));
  }
  for (std::size_t index = 0; index < names.size(); ++index) {
    PortName& name = names[index];
    for (std::size_t number = index; name.own.empty(); number += names.size()) {
      const std::string candidate = kind + "_" + std::to_string(number);
      if (taken.count(candidate) == 0) name.own = candidate;
    }
    const std::string* const served = FindMapped(mapped, name.own);
    name.served = served == nullptr ? name.own : *served;
  }
  return names;
}

Status Refuse(const std::string& text) { return {StatusCode::kNamesFailed, text}; }

Status CheckSide(const std::vector<PortName>& ports, const MappedNames& mapped) {
  std::set<std::string> known;
  std::set<std::string> served;
  for (const PortName& port : ports) {
    known.insert(port.tensors.begin(), port.tensors.end());
    known.insert(port.own);
  }
  for (const auto& [tensor, name] : mapped) {
    if (known.count(tensor) != 0) continue;
    return Refuse("expected one of the tensors " + Joined(known) + ", received " + tensor);
  }
  for (const PortName& port : ports) {
    if (served.insert(port.served).second) continue;
    return Refuse("expected different names, received two tensors that are called " + port.served);
  }
  return Status::Ok();
}

}  // namespace

PortNames NamePorts(const ov::Model& model, const NameMapping& mapping) {
  return {NameSide(model.inputs(), "in", mapping.inputs), NameSide(model.outputs(), "out", mapping.outputs)};
}

Status CheckNames(const PortNames& names, const NameMapping& mapping) {
  Status status = CheckSide(names.inputs, mapping.inputs);
  if (!status.ok()) return std::move(status).At("/inputs");
  status = CheckSide(names.outputs, mapping.outputs);
  return status.ok() ? status : std::move(status).At("/outputs");
}

std::optional<std::size_t> FindPort(const std::vector<PortName>& ports, const std::string& name) {
  const auto found =
      std::find_if(ports.begin(), ports.end(), [&name](const PortName& port) { return port.served == name; });
  if (found == ports.end()) return std::nullopt;
  return static_cast<std::size_t>(found - ports.begin());
}

std::string ServedNames(const std::vector<PortName>& ports) {
  std::set<std::string> names;
  for (const PortName& port : ports) names.insert(port.served);
  return Joined(names);
}

}  // namespace vinery

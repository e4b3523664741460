#include "core/thread_binding.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace vinery {
namespace {

/// The kernel writes "0" for one node and ranges or lists for several; nothing where it knows no nodes.
bool HasOneNumaNode() {
  std::ifstream file("/sys/devices/system/node/online");
  std::string nodes;
  file >> nodes;
  return nodes.find_first_of(",-") == std::string::npos;
}

/// Processors with two kinds of cores have a performance counter unit for each.
bool HasOneKindOfCore() {
  std::error_code failed;
  return !std::filesystem::exists("/sys/devices/cpu_atom", failed);
}

}  // namespace

void LeaveThreadsUnbound() {
  constexpr int kKeepsWhatIsThere = 0;
  // Fails only without memory; then threads are bound as ever.
  if (HasOneNumaNode() && HasOneKindOfCore()) static_cast<void>(::setenv("HWLOC_THISSYSTEM", "0", kKeepsWhatIsThere));
}

}  // namespace vinery

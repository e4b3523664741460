#pragma once

#include <memory>
#include <string>
#include <utility>

#include "core/custom_node_abi.h"
#include "core/openvino_fault.h"
#include "core/status.h"

namespace vinery {

/// A shared library with the functions of a custom node, loaded for as long as this object lives. The system counts who
/// has loaded a file: it goes with the last of these objects. May be used on any thread.
class CustomNodeLibrary {
 public:
  /// `path` is absolute. `kLibraryFailed` when the file does not load or functions are missing; each is named.
  static Status Open(const std::string& path, std::unique_ptr<const CustomNodeLibrary>& library);

  /// A handle of `dlopen`.
  struct Unload {
    void operator()(void* handle) const;
  };
  using Handle = std::unique_ptr<void, Unload>;
  CustomNodeLibrary(Handle handle, const CustomNodeFunctions& functions)
      : handle_(std::move(handle)), functions_(functions) {}

  const CustomNodeFunctions& functions() const { return functions_; }

 private:
  Handle handle_;
  CustomNodeFunctions functions_;
};

/// Calls a function of a library; `code` when it returns anything but 0. An exception, which a C interface must not
/// throw, does not get further than here.
template <typename Function, typename... Arguments>
Status CallLibrary(StatusCode code, const char* name, Function* function, Arguments... arguments) {
  int result = 0;
  Status called = Guard(code, [&] { result = function(arguments...); });
  if (!called.ok()) return std::move(called).At(std::string(name) + " threw an exception");
  if (result != 0) return {code, std::string(name) + " returned " + std::to_string(result)};
  return Status::Ok();
}

}  // namespace vinery

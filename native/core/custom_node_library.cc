#include "core/custom_node_library.h"

#include <dlfcn.h>

#include <utility>

namespace vinery {
namespace {

std::string LinkerFault() {
  const char* text = ::dlerror();
  return text != nullptr ? text : "the dynamic linker does not say why";
}

/// Sets `function`, or adds its name to `missing`.
template <typename Function>
void FindFunction(void* handle, const char* name, Function*& function, std::string& missing) {
  function = reinterpret_cast<Function*>(::dlsym(handle, name));
  if (function != nullptr) return;
  if (!missing.empty()) missing += ", ";
  missing += name;
}

CustomNodeFunctions FindFunctions(void* handle, std::string& missing) {
  CustomNodeFunctions functions;
  FindFunction(handle, "initialize", functions.initialize, missing);
  FindFunction(handle, "deinitialize", functions.deinitialize, missing);
  FindFunction(handle, "execute", functions.execute, missing);
  FindFunction(handle, "getInputsInfo", functions.get_inputs_info, missing);
  FindFunction(handle, "getOutputsInfo", functions.get_outputs_info, missing);
  FindFunction(handle, "release", functions.release, missing);
  return functions;
}

}  // namespace

void CustomNodeLibrary::Unload::operator()(void* handle) const {
  // It fails for handles that are none, and this one is.
  static_cast<void>(::dlclose(handle));
}

Status CustomNodeLibrary::Open(const std::string& path, std::unique_ptr<const CustomNodeLibrary>& library) {
  // A name without a slash would be looked for in the system's folders.
  if (path.empty() || path.front() != '/') {
    return {StatusCode::kLibraryFailed, "expected an absolute path of a library, received " + path};
  }
  Handle handle;
  Status loaded =
      Guard(StatusCode::kLibraryFailed, [&] { handle.reset(::dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL)); });
  if (!loaded.ok()) return std::move(loaded).At(path);
  if (handle == nullptr) return {StatusCode::kLibraryFailed, LinkerFault()};
  std::string missing;
  const CustomNodeFunctions functions = FindFunctions(handle.get(), missing);
  if (!missing.empty()) return {StatusCode::kLibraryFailed, path + " does not export " + missing};
  library = std::make_unique<const CustomNodeLibrary>(std::move(handle), functions);
  return Status::Ok();
}

}  // namespace vinery

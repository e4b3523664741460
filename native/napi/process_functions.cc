#include <cstdlib>

#include "napi/conversions.h"
#include "napi/functions.h"

namespace vinery {

void EndProcess(const Napi::CallbackInfo& info) { std::_Exit(static_cast<int>(ReadUint32(info[0], "exitCode"))); }

}  // namespace vinery

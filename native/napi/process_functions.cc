#include <cstdlib>
#include <ctime>

#include "napi/conversions.h"
#include "napi/functions.h"

namespace vinery {

void EndProcess(const Napi::CallbackInfo& info) { std::_Exit(static_cast<int>(ReadUint32(info[0], "exitCode"))); }

Napi::Value ThreadCpuMicros(const Napi::CallbackInfo& info) {
  timespec used{};
  static_cast<void>(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used));
  return Napi::Number::New(info.Env(),
                           static_cast<double>(used.tv_sec) * 1e6 + static_cast<double>(used.tv_nsec) / 1e3);
}

}  // namespace vinery

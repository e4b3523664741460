#include "core/binding_row.h"
#include "core/status.h"
#include "napi/completions.h"
#include "napi/functions.h"

namespace vinery {

Napi::Value Constants(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Array statuses = Napi::Array::New(env, kStatusNames.size());
  for (std::uint32_t index = 0; index < kStatusNames.size(); ++index) statuses.Set(index, kStatusNames.at(index));
  Napi::Object constants = Napi::Object::New(env);
  constants.Set("bindingStride", Napi::Number::New(env, kBindingStride));
  constants.Set("maxRank", Napi::Number::New(env, kMaxRank));
  constants.Set("unbound", kUnbound);
  constants.Set("completionStride", Napi::Number::New(env, kCompletionStride));
  constants.Set("statuses", statuses);
  return constants;
}

}  // namespace vinery

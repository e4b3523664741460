#include "napi/handles.h"

namespace vinery {

double* BoundRequest::TableData() {
  Napi::Float64Array view = table.Value();
  return view.ElementLength() < request->port_count() * kBindingStride ? nullptr : view.Data();
}

}  // namespace vinery

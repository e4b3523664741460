#include "napi/handles.h"

namespace vinery {
namespace {

Status TableGone() { return {StatusCode::kBindingFailed, "the binding table is shorter than its ports need"}; }

}  // namespace

/// The table's memory now. Looked up at each use: JavaScript may have transferred its buffer away, and an old address
/// would be a wild pointer. Null when the table is too short.
double* BoundRequest::TableData() const {
  Napi::Float64Array view = table_.Value();
  return view.ElementLength() < request_->port_count() * kBindingStride ? nullptr : view.Data();
}

Status BoundRequest::Bind(const SlabTable& slabs) {
  const double* table = TableData();
  return table == nullptr ? TableGone() : request_->Bind(table, slabs);
}

Status BoundRequest::Infer(const SlabTable& slabs) {
  Status status = Bind(slabs);
  if (status.ok()) status = request_->Infer();
  return Land(std::move(status));
}

Status BoundRequest::Land(Status end) {
  request_->MarkDone();
  return end.ok() ? WriteShapes() : std::move(end);
}

Status BoundRequest::WriteShapes() {
  double* table = TableData();
  return table == nullptr ? TableGone() : request_->WriteOutputShapes(table);
}

}  // namespace vinery

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

Status BoundRequest::BindIn(std::shared_ptr<SequenceTurn> turn, const SlabTable& slabs) {
  Status status = Bind(slabs);
  if (status.ok()) status = turn->Load(request_->openvino());
  if (status.ok()) turn_ = std::move(turn);
  return status;
}

void BoundRequest::Start(Done done) {
  if (turn_ == nullptr) return request_->Start(std::move(done));
  request_->Start([this, done = std::move(done)](Status status, std::int32_t micros) {
    if (status.ok()) status = turn_->Save(request_->openvino());
    done(std::move(status), micros);
  });
}

Status BoundRequest::Infer(const SlabTable& slabs) {
  Status status = Bind(slabs);
  if (status.ok()) status = request_->Infer();
  return Land(std::move(status));
}

Status BoundRequest::Land(Status end) {
  request_->MarkDone();
  turn_.reset();
  return end.ok() ? WriteShapes() : std::move(end);
}

Status BoundRequest::WriteShapes() {
  double* table = TableData();
  return table == nullptr ? TableGone() : request_->WriteOutputShapes(table);
}

}  // namespace vinery

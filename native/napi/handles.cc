#include "napi/handles.h"

namespace vinery {
namespace {

Status TableGone() { return {StatusCode::kBindingFailed, "the binding table is shorter than its ports need"}; }

}  // namespace

/// The table's memory now. Looked up at each use: JavaScript may have transferred its buffer away, and an old address
/// would be a wild pointer. Null when the table is too short.
double* BoundRequest::TableData() const {
  Napi::Float64Array view = table_.Value();
  return view.ElementLength() < port_count_ * kBindingStride ? nullptr : view.Data();
}

BoundRequest::BoundRequest(std::unique_ptr<ShapedRequest> shaped, std::size_t port_count,
                           const Napi::Float64Array& table)
    : request_(shaped->current()),
      shaped_(std::move(shaped)),
      port_count_(port_count),
      table_(Napi::Persistent(table)) {}

Status BoundRequest::Bind(const SlabTable& slabs) {
  slabs_ = &slabs;
  if (shaped_ != nullptr) shaped_->BeginRequest();
  return BindChosen();
}

Status BoundRequest::BindIn(std::shared_ptr<SequenceTurn> turn, const SlabTable& slabs) {
  turn_ = std::move(turn);
  return Bind(slabs);
}

/// Nothing is bound when the shapes are to be found out first.
Status BoundRequest::BindChosen() {
  is_unknown_ = false;
  const double* table = TableData();
  if (table == nullptr) return TableGone();
  if (shaped_ != nullptr) {
    bool known = false;
    Status chosen = shaped_->Choose(table, known);
    is_unknown_ = chosen.ok() && !known;
    if (!known || !chosen.ok()) return chosen;
    request_ = shaped_->current();
  }
  Status status = request_->Bind(table, *slabs_);
  return status.ok() && turn_ != nullptr ? turn_->Load(request_->openvino()) : std::move(status);
}

void BoundRequest::Start(Done done, Again again) {
  running_ = true;
  if (is_unknown_) return shaped_->ChooseLater(std::move(again));
  if (turn_ == nullptr && shaped_ == nullptr) return request_->Start(std::move(done));
  request_->Start([this, done = std::move(done), again = std::move(again)](Status status, std::int32_t micros) {
    if (shaped_ != nullptr && shaped_->Retries(status)) return shaped_->ChooseLater(again);
    if (status.ok() && turn_ != nullptr) status = turn_->Save(request_->openvino());
    done(std::move(status), micros);
  });
}

/// The shapes were found out, or what was inferred with them is to be inferred again.
Status BoundRequest::Resume() {
  if (request_ != nullptr) {
    request_->Wait();
    request_->MarkDone();
  }
  return BindChosen();
}

Status BoundRequest::Infer(const SlabTable& slabs) {
  Status status = Bind(slabs);
  if (status.ok()) status = InferChosen();
  return Land(std::move(status));
}

/// Finds out on this thread what is to be found out.
Status BoundRequest::InferChosen() {
  if (shaped_ == nullptr) return request_->Infer();
  for (;;) {
    Status end = Status::Ok();
    bool is_over = false;
    if (is_unknown_) {
      end = shaped_->FindOut();
    } else {
      request_->Start([&](Status status, std::int32_t /*micros*/) {
        is_over = !shaped_->Retries(status);
        end = std::move(status);
      });
      request_->Wait();
      if (is_over) return end;
      request_->MarkDone();
      end = Status::Ok();
    }
    if (end.ok()) end = BindChosen();
    if (!end.ok()) return end;
  }
}

Status BoundRequest::Land(Status end) {
  running_ = false;
  if (request_ != nullptr) request_->MarkDone();
  turn_.reset();
  if (!end.ok()) return end;
  Status status = WriteShapes();
  return status.ok() && shaped_ != nullptr ? shaped_->Succeed(TableData()) : std::move(status);
}

void BoundRequest::Cancel() {
  if (request_ != nullptr) request_->Cancel();
}

void BoundRequest::Wait() {
  // What ends meanwhile may have the shapes found out, so both take their turn.
  if (request_ != nullptr) request_->Wait();
  if (shaped_ != nullptr) shaped_->Withdraw();
}

Status BoundRequest::WriteShapes() {
  double* table = TableData();
  return table == nullptr ? TableGone() : request_->WriteOutputShapes(table);
}

}  // namespace vinery

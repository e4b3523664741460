#include "core/shaped_request.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace vinery {
namespace {

/// Shapes that come in turns keep their infer requests.
constexpr std::size_t kKeptLanes = 4;
/// How often one request is tried again for what others did. Each of these ends at its second failure, so with all
/// infer requests of a model in the hands of a hostile client there are twice as many failures.
constexpr std::uint32_t kMostRetries = 256;

bool SameShape(const double* row, const ov::Shape& shape) {
  if (row[2] != static_cast<double>(shape.size())) return false;
  return std::equal(shape.begin(), shape.end(), row + 3,
                    [](std::size_t size, double number) { return number == static_cast<double>(size); });
}

}  // namespace

ShapedRequest::ShapedRequest(std::shared_ptr<const CompiledModel> model, bool copies_small)
    : model_(std::move(model)), copies_small_(copies_small) {
  if (const auto variant = model_->shapes()->AnyVariant(); variant != nullptr) {
    // What is wrong with it will be the fault of the first request.
    static_cast<void>(FindLane(variant).ok());
  }
}

bool ShapedRequest::IsChosen(const double* table) const {
  if (verdict_ == nullptr || epoch_ != model_->shapes()->epoch()) return false;
  for (std::size_t input = 0; input < shapes_.size(); ++input) {
    if (!SameShape(table + input * kBindingStride, shapes_[input])) return false;
  }
  return true;
}

Status ShapedRequest::Choose(const double* table, bool& known) {
  known = true;
  if (IsChosen(table)) return verdict_->refusal.ok() ? CheckOutputs(table) : verdict_->refusal;
  if (Status status = ReadShapes(table); !status.ok()) return status;
  const std::uint64_t epoch = model_->shapes()->epoch();
  auto verdict = model_->shapes()->Find(shapes_);
  // A fault that is not remembered, because it may be gone with the next request, is the end of this one.
  if (verdict == nullptr && errand_ != nullptr) {
    verdict = errand_->TakeVerdict();
    if (verdict != nullptr && verdict->refusal.ok()) verdict = nullptr;
  }
  errand_ = nullptr;
  known = verdict != nullptr;
  return known ? Take(table, std::move(verdict), epoch) : Status::Ok();
}

Status ShapedRequest::FindOut() { return model_->shapes()->Resolve(shapes_)->refusal; }

void ShapedRequest::ChooseLater(std::function<void()> ready) {
  errand_ = std::make_shared<ShapeErrand>(std::move(ready));
  model_->shapes()->ResolveLater(shapes_, errand_);
}

void ShapedRequest::Withdraw() {
  if (errand_ != nullptr) errand_->Withdraw();
}

void ShapedRequest::BeginRequest() {
  suspicions_ = 0;
  retries_ = 0;
}

bool ShapedRequest::Retries(const Status& end) {
  if (end.ok()) return verdict_->variant->is_broken;
  if (end.code() != StatusCode::kInferenceFailed) return false;
  const ShapeFailure failure = model_->shapes()->Fail(verdict_->variant, shapes_);
  if (failure == ShapeFailure::kOwn) return false;
  if (failure == ShapeFailure::kSuspect && ++suspicions_ > 1) return false;
  return ++retries_ <= kMostRetries;
}

Status ShapedRequest::Succeed(const double* table) {
  for (std::size_t output = 0; output < verdict_->outputs.size(); ++output) {
    const ov::PartialShape& expected = verdict_->outputs[output];
    if (expected.is_dynamic() || SameShape(table + (shapes_.size() + output) * kBindingStride, expected.to_shape())) {
      continue;
    }
    return {StatusCode::kOutputFailed, "output " + std::to_string(output) + ": expected the shape " +
                                           expected.to_string() + ", received another one"};
  }
  if (!std::exchange(is_proved_, true)) model_->shapes()->Prove(shapes_);
  return Status::Ok();
}

/// Whatever JavaScript wrote there: what cannot be a shape is named as binding it would.
Status ShapedRequest::ReadShapes(const double* table) {
  verdict_ = nullptr;
  shapes_.clear();
  const auto& inputs = model_->description().inputs;
  for (std::size_t input = 0; input < inputs.size(); ++input) {
    RawRow raw;
    std::memcpy(raw.data(), table + input * kBindingStride, sizeof(raw));
    const std::string place = "input " + std::to_string(input);
    if (raw[0] == kUnbound) return Status(StatusCode::kBindingFailed, "no memory is bound").At(place);
    BindingRow row;
    if (Status status = ParseRow(raw, ov::element::u8, row); !status.ok()) return std::move(status).At(place);
    shapes_.push_back(std::move(row.shape));
  }
  return Status::Ok();
}

Status ShapedRequest::CheckOutputs(const double* table) const {
  for (std::size_t output = 0; output < verdict_->outputs.size(); ++output) {
    const double* row = table + (shapes_.size() + output) * kBindingStride;
    const ov::PartialShape& expected = verdict_->outputs[output];
    if (row[0] == kUnbound || expected.is_dynamic() || SameShape(row, expected.to_shape())) continue;
    return {StatusCode::kBindingFailed, "output " + std::to_string(output) + ": expected memory for the shape " +
                                            expected.to_string() + ", received memory for another one"};
  }
  return Status::Ok();
}

Status ShapedRequest::Take(const double* table, std::shared_ptr<const ShapeVerdict> verdict, std::uint64_t epoch) {
  verdict_ = std::move(verdict);
  epoch_ = epoch;
  is_proved_ = false;
  if (!verdict_->refusal.ok()) return verdict_->refusal;
  if (Status status = FindLane(verdict_->variant); !status.ok()) {
    verdict_ = nullptr;
    return status;
  }
  return CheckOutputs(table);
}

Status ShapedRequest::FindLane(const std::shared_ptr<ModelVariant>& variant) {
  lanes_.erase(std::remove_if(lanes_.begin(), lanes_.end(),
                              [&](const Lane& lane) { return lane.variant->is_retired && lane.variant != variant; }),
               lanes_.end());
  const auto found =
      std::find_if(lanes_.begin(), lanes_.end(), [&](const Lane& lane) { return lane.variant == variant; });
  if (found != lanes_.end()) {
    std::rotate(lanes_.begin(), found, found + 1);
  } else {
    std::shared_ptr<InferRequest> request;
    if (Status status = InferRequest::Create(model_, variant->compiled, copies_small_, request); !status.ok()) {
      return status;
    }
    lanes_.insert(lanes_.begin(), {variant, std::move(request)});
    if (lanes_.size() > kKeptLanes) lanes_.pop_back();
  }
  current_ = lanes_.front().request;
  return Status::Ok();
}

}  // namespace vinery

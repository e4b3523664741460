#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/infer_request.h"
#include "core/shape_table.h"
#include "core/status.h"

namespace vinery {

/// The infer requests of a model with open dimensions: one for each compilation that its shapes have wanted of late.
/// JavaScript thread, but for `Retries` and `ChooseLater`, which the end of an inference may call.
class ShapedRequest {
 public:
  ShapedRequest(std::shared_ptr<const CompiledModel> model, bool copies_small);

  /// Makes the infer request for the shapes in the table the current one. `known` is false, and nothing was done, when
  /// they must be found out first. The fault of shapes that the model refuses, or of outputs that are bound to memory
  /// of another shape than the model will give them.
  Status Choose(const double* table, bool& known);
  /// After a `Choose` that did not know: finds the shapes out here, which blocks. Then it is to be chosen again.
  Status FindOut();
  /// As `FindOut`, on another thread.
  void ChooseLater(std::function<void()> ready);
  /// When this has returned, `ready` was called or never is.
  void Withdraw();

  /// Null until something was chosen, unless there was a compilation to begin with.
  const std::shared_ptr<InferRequest>& current() const { return current_; }

  /// A request begins that has not failed yet.
  void BeginRequest();
  /// Whether what was chosen has ended by what others did, or may have; then it is to be chosen again. To be asked at
  /// once, within `Done`: ends come there in the order of the inferences.
  bool Retries(const Status& end);
  /// What was chosen has ended well, with the shapes of the outputs in the table. `kOutputFailed` when these are others
  /// than the model's operations say.
  Status Succeed(const double* table);

 private:
  struct Lane {
    std::shared_ptr<ModelVariant> variant;
    std::shared_ptr<InferRequest> request;
  };

  bool IsChosen(const double* table) const;
  Status ReadShapes(const double* table);
  Status CheckOutputs(const double* table) const;
  Status Take(const double* table, std::shared_ptr<const ShapeVerdict> verdict, std::uint64_t epoch);
  Status FindLane(const std::shared_ptr<ModelVariant>& variant);

  std::shared_ptr<const CompiledModel> model_;
  bool copies_small_;
  std::shared_ptr<InferRequest> current_;
  /// The last used first.
  std::vector<Lane> lanes_;
  /// Those of the table that was looked at last.
  InputShapes shapes_;
  std::shared_ptr<const ShapeVerdict> verdict_;
  std::uint64_t epoch_ = 0;
  bool is_proved_ = false;
  std::uint32_t suspicions_ = 0;
  std::uint32_t retries_ = 0;
  std::shared_ptr<ShapeErrand> errand_;
};

}  // namespace vinery

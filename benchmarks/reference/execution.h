#pragma once

#include <cstddef>
#include <cstdint>
#include <openvino/openvino.hpp>

#include "completion_queue.h"
#include "pipeline.h"

namespace reference {

/// One place for a run of the pipeline, used again and again: both networks at once, then argmax, which reads their
/// outputs in place. Used by one thread; OpenVINO's threads only push to the queue.
class Execution {
 public:
  /// `queue` must outlive the execution. `number` is what it pushes.
  Execution(Pipeline& pipeline, CompletionQueue& queue, std::size_t number);
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;
  Execution(Execution&&) = delete;
  Execution& operator=(Execution&&) = delete;
  /// Waits for the inferences that run.
  ~Execution() = default;

  /// The picture must stay until the run has ended.
  void start(float* picture);

  /// Call once for each completion. Returns true when the run has ended. Throws what OpenVINO threw in an inference.
  bool advance();

  /// Of the run that has ended.
  std::int64_t label();

 private:
  ov::Shape picture_shape_;
  ov::InferRequest googlenet_;
  ov::InferRequest resnet_;
  ov::InferRequest argmax_;
  int running_ = 0;
  bool in_argmax_ = false;
};

}  // namespace reference

#pragma once

#include <openvino/openvino.hpp>

#include "options.h"

namespace reference {

/// The demo's three models, compiled with the product's defaults: unpinned threads, denormals as zero, a performance
/// hint.
class Pipeline {
 public:
  explicit Pipeline(const Options& options);

  /// Both networks take the same picture.
  const ov::Shape& picture_shape() const { return picture_shape_; }
  ov::CompiledModel& googlenet() { return googlenet_; }
  ov::CompiledModel& resnet() { return resnet_; }
  ov::CompiledModel& argmax() { return argmax_; }

 private:
  ov::Core core_;
  ov::CompiledModel googlenet_;
  ov::CompiledModel resnet_;
  ov::CompiledModel argmax_;
  ov::Shape picture_shape_;
};

}  // namespace reference

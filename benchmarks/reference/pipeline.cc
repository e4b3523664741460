#include "pipeline.h"

#include <stdexcept>

namespace reference {

Pipeline::Pipeline(const Options& options) {
  const ov::AnyMap properties = {
      {"PERFORMANCE_HINT", options.hint},
      {"ENABLE_CPU_PINNING", false},
      {"CPU_DENORMALS_OPTIMIZATION", true},
  };
  googlenet_ = core_.compile_model(options.googlenet, "CPU", properties);
  resnet_ = core_.compile_model(options.resnet, "CPU", properties);
  argmax_ = core_.compile_model(options.argmax, "CPU", properties);
  picture_shape_ = googlenet_.input().get_shape();
  if (resnet_.input().get_shape() != picture_shape_) {
    throw std::runtime_error("expected both networks to take pictures of one shape");
  }
}

}  // namespace reference

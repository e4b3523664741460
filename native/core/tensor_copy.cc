#include "core/tensor_copy.h"

namespace vinery {

void CopyTensor(const ov::Tensor& from, ov::Tensor& to) {
  if (from.get_size() == 0) {
    if (to.get_shape() != from.get_shape()) to.set_shape(from.get_shape());
    return;
  }
  from.copy_to(to);
}

}  // namespace vinery

#include "execution.h"

namespace reference {

Execution::Execution(Pipeline& pipeline, CompletionQueue& queue, std::size_t number)
    : picture_shape_(pipeline.picture_shape()),
      googlenet_(pipeline.googlenet().create_infer_request()),
      resnet_(pipeline.resnet().create_infer_request()),
      argmax_(pipeline.argmax().create_infer_request()) {
  argmax_.set_tensor("input1", googlenet_.get_output_tensor());
  argmax_.set_tensor("input2", resnet_.get_output_tensor());
  // What went wrong is thrown again by wait() on the thread that schedules.
  for (ov::InferRequest* request : {&googlenet_, &resnet_, &argmax_}) {
    request->set_callback([&queue, number](const std::exception_ptr&) { queue.push(number); });
  }
}

void Execution::start(float* picture) {
  const ov::Tensor image(ov::element::f32, picture_shape_, picture);
  googlenet_.set_input_tensor(image);
  resnet_.set_input_tensor(image);
  in_argmax_ = false;
  running_ = 2;
  googlenet_.start_async();
  resnet_.start_async();
}

bool Execution::advance() {
  running_ -= 1;
  if (running_ > 0) return false;
  if (in_argmax_) {
    argmax_.wait();
    return true;
  }
  // A completion is pushed from within a callback: only after wait() has that callback returned, and the request may
  // start again.
  googlenet_.wait();
  resnet_.wait();
  in_argmax_ = true;
  running_ = 1;
  argmax_.start_async();
  return false;
}

std::int64_t Execution::label() { return argmax_.get_output_tensor().data<std::int64_t>()[0]; }

}  // namespace reference

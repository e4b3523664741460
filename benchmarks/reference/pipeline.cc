#include "pipeline.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <thread>
#include <utility>

namespace reference {
namespace {

/// The product's own properties: unpinned threads.
ov::AnyMap Properties(const std::string& streams) {
  ov::AnyMap properties = {{"ENABLE_CPU_PINNING", false}};
  if (streams == "LATENCY" || streams == "THROUGHPUT") {
    properties["PERFORMANCE_HINT"] = streams;
  } else {
    properties["NUM_STREAMS"] = streams;
    properties["INFERENCE_NUM_THREADS"] = streams;
  }
  return properties;
}

void EndOnFailure(const std::exception_ptr& failure) {
  if (failure == nullptr) return;
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    std::cerr << "an inference failed: " << error.what() << '\n' << std::flush;
  }
  std::_Exit(1);
}

std::int64_t Label(ov::InferRequest& argmax) { return argmax.get_output_tensor().data<std::int64_t>()[0]; }

}  // namespace

const std::set<std::string>& Pipeline::option_names() {
  static const std::set<std::string> names = {"googlenet", "resnet", "argmax", "streams", "slots"};
  return names;
}

const std::set<std::string>& Pipeline::option_flags() {
  static const std::set<std::string> flags = {"inline"};
  return flags;
}

Pipeline::Pipeline(const Options& options) : inline_(options.has("inline")) {
  const ov::AnyMap properties = Properties(options.text("streams", "LATENCY"));
  networks_[0] = core_.compile_model(options.required("googlenet"), "CPU", properties);
  networks_[1] = core_.compile_model(options.required("resnet"), "CPU", properties);
  argmax_ = core_.compile_model(options.required("argmax"), "CPU", properties);
  input_shape_ = networks_[0].input().get_shape();
  if (networks_[1].input().get_shape() != input_shape_) {
    throw std::runtime_error("expected both networks to take inputs of one shape");
  }
  // As many more as run wait inside OpenVINO, so that no stream waits for a slot. Inline, a slot is what a thread
  // needs.
  const std::size_t streams = networks_[0].get_property(ov::num_streams).num;
  const std::size_t threads = std::max<std::size_t>(std::thread::hardware_concurrency(), 1);
  const std::size_t count = options.count("slots", 2 * (inline_ ? threads : std::max<std::size_t>(streams, 1)));
  for (std::size_t number = 0; number < count; ++number) {
    slots_.push_back(make_slot());
    free_.push_back(slots_.back().get());
  }
}

std::unique_ptr<Pipeline::Slot> Pipeline::make_slot() {
  auto slot = std::make_unique<Slot>();
  Slot& place = *slot;
  for (std::size_t at = 0; at < 2; ++at) place.networks[at] = networks_[at].create_infer_request();
  place.argmax = argmax_.create_infer_request();
  place.argmax.set_tensor("input1", place.networks[0].get_output_tensor());
  place.argmax.set_tensor("input2", place.networks[1].get_output_tensor());
  if (inline_) return slot;
  for (ov::InferRequest& network : place.networks) {
    network.set_callback([this, &place](const std::exception_ptr& failure) {
      EndOnFailure(failure);
      network_ended(place);
    });
  }
  place.argmax.set_callback([this, &place](const std::exception_ptr& failure) {
    EndOnFailure(failure);
    argmax_ended(place);
  });
  return slot;
}

void Pipeline::run(const float* input, Done done) {
  Run run{input, std::move(done)};
  Slot* slot = nullptr;
  {
    const std::scoped_lock lock(mutex_);
    if (free_.empty()) {
      waiting_.push_back(std::move(run));
      return;
    }
    slot = free_.back();
    free_.pop_back();
  }
  if (inline_) {
    infer_here(*slot, std::move(run));
  } else {
    start(*slot, std::move(run));
  }
}

void Pipeline::start(Slot& slot, Run run) {
  // The callback that ended the run before may not have returned yet, and only after that a request may start again.
  for (ov::InferRequest& network : slot.networks) network.wait();
  bind(slot, run.input);
  slot.done = std::move(run.done);
  slot.running = 2;
  for (ov::InferRequest& network : slot.networks) network.start_async();
}

void Pipeline::network_ended(Slot& slot) {
  if (slot.running.fetch_sub(1) != 1) return;
  slot.argmax.wait();
  slot.argmax.start_async();
}

void Pipeline::argmax_ended(Slot& slot) {
  const std::int64_t label = Label(slot.argmax);
  const Done done = std::move(slot.done);
  Run following;
  if (next(slot, following)) start(slot, std::move(following));
  done(label);
}

void Pipeline::infer_here(Slot& slot, Run run) {
  do {
    bind(slot, run.input);
    for (ov::InferRequest& network : slot.networks) network.infer();
    slot.argmax.infer();
    run.done(Label(slot.argmax));
  } while (next(slot, run));
}

void Pipeline::bind(Slot& slot, const float* input) {
  // OpenVINO's tensors have no form for memory that is only read.
  const ov::Tensor tensor(ov::element::f32, input_shape_, const_cast<float*>(input));
  for (ov::InferRequest& network : slot.networks) network.set_input_tensor(tensor);
}

bool Pipeline::next(Slot& slot, Run& run) {
  const std::scoped_lock lock(mutex_);
  if (waiting_.empty()) {
    free_.push_back(&slot);
    return false;
  }
  run = std::move(waiting_.front());
  waiting_.pop_front();
  return true;
}

}  // namespace reference

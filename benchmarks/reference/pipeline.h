#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <openvino/openvino.hpp>
#include <set>
#include <string>
#include <vector>

#include "options.h"

namespace reference {

/// The demo's graph: two networks read one input where it lies, argmax reads their outputs in place. Each step starts
/// in the callback of the one before, on OpenVINO's threads. An inference that fails ends the program: a figure with
/// failures in it means nothing.
class Pipeline {
 public:
  /// Receives the label on the thread where the last step ended.
  using Done = std::function<void(std::int64_t label)>;

  /// The options that say what to load and how; see `local.cc`.
  static const std::set<std::string>& option_names();
  static const std::set<std::string>& option_flags();

  explicit Pipeline(const Options& options);

  /// Of one input.
  std::size_t input_bytes() const { return ov::shape_size(input_shape_) * sizeof(float); }
  bool is_inline() const { return inline_; }

  /// Any thread. The input must stay until `done` was called. Inline: the inference happens here, and so does, in turn,
  /// what others wait for; else a run that finds no free slot starts when one is free.
  void run(const float* input, Done done);

 private:
  struct Slot {
    ov::InferRequest networks[2];
    ov::InferRequest argmax;
    std::atomic<int> running{0};
    Done done;
  };
  struct Run {
    const float* input = nullptr;
    Done done;
  };

  std::unique_ptr<Slot> make_slot();
  void start(Slot& slot, Run run);
  void network_ended(Slot& slot);
  void argmax_ended(Slot& slot);
  void infer_here(Slot& slot, Run run);
  void bind(Slot& slot, const float* input);
  /// Gives the slot back, or says what it runs next.
  bool next(Slot& slot, Run& run);

  ov::Core core_;
  ov::CompiledModel networks_[2];
  ov::CompiledModel argmax_;
  ov::Shape input_shape_;
  bool inline_ = false;
  std::mutex mutex_;
  std::vector<Slot*> free_;
  std::deque<Run> waiting_;
  /// Last: their requests wait for the inferences that still run.
  std::vector<std::unique_ptr<Slot>> slots_;
};

}  // namespace reference

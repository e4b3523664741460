#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <vector>

namespace reference {

/// Brings the ends of inferences from OpenVINO's threads to the one thread that decides what runs next.
class CompletionQueue {
 public:
  /// Any thread: an inference of the execution with this number has ended.
  void push(std::size_t execution);

  /// Waits for completions and moves them all into `completions`. Throws std::runtime_error when none comes in time.
  void take(std::vector<std::size_t>& completions, std::chrono::seconds patience);

 private:
  std::mutex mutex_;
  std::condition_variable pushed_;
  std::vector<std::size_t> completions_;
};

}  // namespace reference

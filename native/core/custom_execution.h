#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "core/binding_row.h"
#include "core/custom_node.h"
#include "core/flight.h"
#include "core/slab_table.h"
#include "core/thread_pool.h"

namespace vinery {

/// One run of a custom node: bound, started once, and its outputs held until this object goes. As with every flight,
/// all functions run on the thread of the environment; the library runs on a thread of the pool.
class CustomExecution : public Flight, public std::enable_shared_from_this<CustomExecution> {
 public:
  CustomExecution(std::shared_ptr<const CustomNode> node, std::shared_ptr<ThreadPool> threads);
  CustomExecution(const CustomExecution&) = delete;
  CustomExecution& operator=(const CustomExecution&) = delete;
  CustomExecution(CustomExecution&&) = delete;
  CustomExecution& operator=(CustomExecution&&) = delete;
  /// Sends the outputs back to the library on a thread of the pool: `release` may wait for a lock that an execution
  /// holds, and this may be an event loop.
  ~CustomExecution() override;

  /// Sets the inputs that the table names, in the order of the description: a row each, as for an infer request.
  Status Bind(const double* table, const SlabTable& slabs);

  /// Queues it. Not twice.
  void Start(Done done, Again again) override;
  /// Takes it out of the queue; it ends as `kCancelled` and reads nothing any more. False when it has begun.
  bool Withdraw();

  Status Land(Status end) override;
  /// One that has begun cannot be stopped.
  void Cancel() override { Withdraw(); }
  void Wait() override;
  bool Uses(const Slab& slab) const override;
  bool running() const { return running_; }

  /// Empty before the end was seen (`Land`), and after a failure.
  const std::vector<CustomNodeOutput>& outputs() const { return outputs_; }
  /// `kOutputFailed` when it does not fit into the slab.
  Status CopyOutput(std::size_t output, const SlabTable& slabs, std::uint64_t slab, std::uint64_t offset) const;

 private:
  struct Input {
    BindingRow row;
    std::uint8_t* data = nullptr;
    std::uint64_t slab_generation = 0;
  };
  Status BindInput(const RawRow& raw, const CustomNodePort& port, const SlabTable& slabs);
  void Run();
  void End(Status status, std::int32_t micros);

  std::shared_ptr<const CustomNode> node_;
  std::shared_ptr<ThreadPool> threads_;
  std::vector<Input> inputs_;
  /// Written by the pool's thread before `done_`, which hands them over to the environment's thread.
  std::vector<CustomNodeOutput> outputs_;
  Done done_;
  std::uint64_t ticket_ = 0;
  bool running_ = false;
  std::mutex mutex_;
  std::condition_variable settled_change_;
  bool settled_ = true;
};

}  // namespace vinery

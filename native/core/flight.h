#pragma once

#include <cstdint>
#include <functional>

#include "core/slab_table.h"
#include "core/status.h"

namespace vinery {

/// Something that one environment has started and that ends elsewhere: an inference, or the execution of a custom node.
/// Every function runs on the thread of that environment; only the end comes on another one. Whoever starts a flight
/// keeps it and the slabs it reads and writes until the end has been reported.
class Flight {
 public:
  /// Called once for each start, on any thread, perhaps within `Start`.
  using Done = std::function<void(Status status, std::int32_t micros)>;
  /// Called instead of `Done`, on any thread, when the environment's thread has to do something first: `Resume`.
  using Again = std::function<void()>;

  Flight() = default;
  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;
  Flight(Flight&&) = delete;
  Flight& operator=(Flight&&) = delete;
  virtual ~Flight() = default;

  /// Starts with the tensors bound before; returns at once. Not while running.
  virtual void Start(Done done, Again again) = 0;
  /// After `Again`: prepares the next `Start`, which follows unless this fails.
  virtual Status Resume() { return Status::Ok(); }
  /// The environment's thread has seen the end. Gives it back, or the fault of handing the results over.
  virtual Status Land(Status end) = 0;
  /// Asks it to end early; harmless when nothing runs.
  virtual void Cancel() = 0;
  /// Blocks until it has ended and `Done` has returned. Called before memory may go away.
  virtual void Wait() = 0;
  /// Whether it may read or write the slab.
  virtual bool Uses(const Slab& slab) const = 0;
};

}  // namespace vinery

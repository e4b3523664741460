#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/descriptor.h"
#include "ingress/out_message.h"
#include "ingress/region.h"

namespace vinery {

/// What an I/O thread is told to do, by its environment or by the I/O thread of another one.
struct IngressCommand {
  enum class Kind : std::uint8_t { kSend, kFinish, kContinue, kGive, kAdopt, kDrain, kStop };

  explicit IngressCommand(Kind command_kind) : kind(command_kind) {}

  Kind kind;
  /// kGive: of the call that asked for the region, 0 for the stock.
  std::uint64_t call = 0;
  /// kSend.
  std::shared_ptr<OutMessage> message;
  /// kSend: whether JavaScript waits for the end of sending.
  bool notify = false;
  /// kSend: whether the call ends with this message, and well.
  bool last = false;
  /// kFinish: gRPC's code, its text, and names and values of trailers in turn.
  std::uint32_t code = 0;
  std::string text;
  std::vector<std::string> metadata;
  /// kGive; kSend and kFinish: a region for the stock.
  Region region;
  /// kAdopt.
  Descriptor socket;
};

/// Carries commands to one I/O thread, from any thread. That thread is woken when it sleeps, and only then: who pushes
/// while it works pays for no system call.
class CommandQueue {
 public:
  /// Throws `std::system_error` when the system gives no descriptor.
  CommandQueue();

  /// False when the I/O thread is gone; what the command owns goes with it.
  bool Push(IngressCommand command);
  /// I/O thread, which is awake. Replaces `taken` by all that was pushed.
  void TakeAll(std::vector<IngressCommand>& taken);
  /// The I/O thread goes to sleep, unless this is false: there are commands.
  bool MaySleep();
  void Close();
  /// Has an edge, which need not be read, when the thread is to wake up.
  int descriptor() const { return wake_.get(); }

 private:
  Descriptor wake_;
  std::mutex mutex_;
  std::vector<IngressCommand> commands_;
  /// Until its first turn the thread may be anywhere.
  bool asleep_ = true;
  bool closed_ = false;
};

}  // namespace vinery

#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "ingress/ingress_command.h"

namespace vinery {

/// One I/O thread as the dealer sees it.
struct DealerSeat {
  CommandQueue commands;
  /// Connections that were dealt to it and have not ended.
  std::atomic<std::int64_t> connections{0};
};

/// Spreads accepted connections evenly over the I/O threads of a process that accept from the same listening socket:
/// whoever accepts one asks here whose it is. The system itself would give most of them to one thread. Any thread.
class ConnectionDealer {
 public:
  /// @param group the same for all who listen on the same socket.
  void Join(std::uint64_t group, std::shared_ptr<DealerSeat> seat);
  void Leave(std::uint64_t group, const std::shared_ptr<DealerSeat>& seat);
  /// The seat with the fewest connections, which counts one more from now on; null when none is left.
  std::shared_ptr<DealerSeat> Deal(std::uint64_t group);

 private:
  struct Group {
    std::vector<std::shared_ptr<DealerSeat>> seats;
    std::size_t next = 0;
  };

  std::mutex mutex_;
  std::unordered_map<std::uint64_t, Group> groups_;
};

}  // namespace vinery

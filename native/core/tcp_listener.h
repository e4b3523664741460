#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/descriptor.h"

namespace vinery {

/// A listening socket. The descriptor belongs to the caller, who closes it.
struct TcpListener {
  int fd = -1;
  std::uint16_t port = 0;
};

/// Binds and listens on a numeric IPv4 or IPv6 address; the socket is non-blocking and not inherited by child
/// processes. An IPv6 socket takes IPv6 only, so that `::` and `0.0.0.0` may be listened on side by side, as OVMS does.
/// @returns 0 or the system's errno; `EAI_NONAME`-like faults of the address come as `EINVAL`.
int Listen(const std::string& address, std::uint16_t port, int backlog, TcpListener& listener);

/// A second descriptor of the same socket, not inherited. @returns 0 or errno.
int Duplicate(int fd, int& copy);

/// Accepts the clients that the system has connected to a listening socket already, as many as there are descriptors
/// for; their sockets are non-blocking and not inherited.
std::vector<Descriptor> AcceptWaiting(int fd);

/// @returns 0 or errno.
int CloseDescriptor(int fd);

/// The name of an errno as Node.js writes it, for example `EADDRINUSE`.
std::string ErrnoName(int number);

}  // namespace vinery

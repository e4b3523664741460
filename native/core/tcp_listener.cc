#include "core/tcp_listener.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>

namespace vinery {
namespace {

using AddressInfo = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

AddressInfo ParseAddress(const std::string& address, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int fault = ::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found);
  return {fault == 0 ? found : nullptr, &::freeaddrinfo};
}

bool SetOn(int fd, int level, int option) {
  const int on = 1;
  return ::setsockopt(fd, level, option, &on, sizeof(on)) == 0;
}

std::uint16_t BoundPort(int fd) {
  sockaddr_in6 bound{};
  socklen_t length = sizeof(bound);
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length) != 0) return 0;
  // The port stands at the same place for both families.
  return ntohs(bound.sin6_port);
}

}  // namespace

int Listen(const std::string& address, std::uint16_t port, int backlog, TcpListener& listener) {
  const AddressInfo info = ParseAddress(address, port);
  if (info == nullptr) return EINVAL;
  Descriptor socket(::socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return errno;
  if (!SetOn(socket.get(), SOL_SOCKET, SO_REUSEADDR)) return errno;
  if (info->ai_family == AF_INET6 && !SetOn(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY)) return errno;
  if (::bind(socket.get(), info->ai_addr, info->ai_addrlen) != 0) return errno;
  if (::listen(socket.get(), backlog) != 0) return errno;
  listener.port = BoundPort(socket.get());
  listener.fd = socket.Release();
  return 0;
}

int Duplicate(int fd, int& copy) {
  copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
  return copy < 0 ? errno : 0;
}

std::vector<Descriptor> AcceptWaiting(int fd) {
  std::vector<Descriptor> sockets;
  for (;;) {
    Descriptor socket(::accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket.get() >= 0) {
      sockets.push_back(std::move(socket));
      continue;
    }
    // A client that has left again is no reason to stop.
    if (errno != ECONNABORTED && errno != EINTR) return sockets;
  }
}

int CloseDescriptor(int fd) { return ::close(fd) == 0 ? 0 : errno; }

std::string ErrnoName(int number) {
  static constexpr std::array<std::pair<int, const char*>, 12> kNames = {{{EADDRINUSE, "EADDRINUSE"},
                                                                          {EADDRNOTAVAIL, "EADDRNOTAVAIL"},
                                                                          {EACCES, "EACCES"},
                                                                          {EPERM, "EPERM"},
                                                                          {EINVAL, "EINVAL"},
                                                                          {EBADF, "EBADF"},
                                                                          {EMFILE, "EMFILE"},
                                                                          {ENFILE, "ENFILE"},
                                                                          {ENOBUFS, "ENOBUFS"},
                                                                          {ENOMEM, "ENOMEM"},
                                                                          {EAFNOSUPPORT, "EAFNOSUPPORT"},
                                                                          {ENODEV, "ENODEV"}}};
  const auto* found =
      std::find_if(kNames.begin(), kNames.end(), [&](const auto& entry) { return entry.first == number; });
  return found != kNames.end() ? found->second : "ERRNO_" + std::to_string(number);
}

}  // namespace vinery

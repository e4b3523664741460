#include "core/illegal_instruction.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string_view>

namespace vinery {
namespace {

constexpr int kExitCode = 128 + SIGILL;
constexpr std::string_view kLine = "Illegal operation. The server was started on an unsupported device\n";

/// Does what a signal handler may do and nothing else: the instruction would come again if it returned.
void Exit(int /*signal*/) {
  // Whether the line can be written or not, the process ends.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kLine.data(), kLine.size());
  ::_exit(kExitCode);
}

}  // namespace

int ExitOnIllegalInstruction() {
  struct sigaction action = {};
  action.sa_handler = Exit;
  return ::sigaction(SIGILL, &action, nullptr) == 0 ? 0 : errno;
}

}  // namespace vinery

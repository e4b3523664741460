#include "cpu_time.h"

#include <sys/resource.h>

#include <cerrno>
#include <system_error>

namespace reference {
namespace {

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

}  // namespace

double CpuSeconds() {
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0) throw std::system_error(errno, std::generic_category(), "getrusage");
  return Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
}

}  // namespace reference

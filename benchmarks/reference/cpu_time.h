#pragma once

namespace reference {

/// User and system time of all threads of this process so far, in seconds.
double CpuSeconds();

/// The same of another process, in steps of 10 ms. Throws std::runtime_error when there is none.
double CpuSeconds(int process);

}  // namespace reference

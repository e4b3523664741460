#pragma once

namespace reference {

/// User and system time of all threads of this process so far, in seconds.
double CpuSeconds();

}  // namespace reference

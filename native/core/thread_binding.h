#pragma once

namespace vinery {

/// Keeps TBB from binding a thread to its cores and back around every inference where that binds it to all of them:
/// on machines with one NUMA node and one kind of core. Four system calls an inference, half of what a trivial one
/// costs on the calling thread (measured: 3 us instead of 7). Threads that `ENABLE_CPU_PINNING` pins stay pinned, that
/// is OpenVINO's own doing.
///
/// By `HWLOC_THISSYSTEM=0`, with which hwloc, through which TBB binds, makes no such call; what the environment says
/// already stays. For the whole process, and only before TBB has looked at the machine: call it before the first
/// `ov::Core`.
void LeaveThreadsUnbound();

}  // namespace vinery

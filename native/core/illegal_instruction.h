#pragma once

namespace vinery {

/// From here on SIGILL ends the process with one line on standard error and exit code 132 (as OVMS 2026.2.1): OpenVINO
/// was built for a newer CPU than this. For the whole process; calling it again changes nothing.
/// @returns 0 or the system's errno.
int ExitOnIllegalInstruction();

}  // namespace vinery

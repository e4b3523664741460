#include "core/bus_fault_guard.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <mutex>

namespace vinery {
namespace {

/// One guarded range. The handler reads it without a lock: `version` is odd while it is written, and a reader that saw
/// two different versions has seen two ranges mixed.
struct Place {
  std::atomic<std::uint32_t> version{0};
  std::atomic<std::uintptr_t> begin{0};
  std::atomic<std::uintptr_t> end{0};
  std::atomic<bool> broken{false};
};

struct Range {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
};

// Never destroyed, because a fault may come at any time.
std::array<Place, kMaxGuardedRanges> places;
/// Places from here on were never used.
std::atomic<std::size_t> places_in_use{0};
std::mutex places_mutex;
struct sigaction previous_action = {};

static_assert(std::atomic<std::uintptr_t>::is_always_lock_free, "a signal handler must not lock");

/// False when the range was being written, which that of a running access never is.
bool ReadRange(const Place& place, Range& range) {
  const std::uint32_t version = place.version.load();
  range = {place.begin.load(), place.end.load()};
  return version % 2 == 0 && version == place.version.load();
}

/// The last writer is under `places_mutex`.
void WriteRange(Place& place, const Range& range) {
  place.version.fetch_add(1);
  place.begin.store(range.begin);
  place.end.store(range.end);
  place.version.fetch_add(1);
}

/// Puts zeros where the pages are lost: from that of the fault to the end, since a truncated file has lost all of them.
/// Only what a signal handler may do, and by the system call itself, which no tool intercepts.
bool PutZeros(std::uintptr_t address) {
  const std::size_t count = places_in_use.load();
  for (std::size_t index = 0; index < count; ++index) {
    Place& place = places[index];
    Range range;
    if (!ReadRange(place, range) || address < range.begin || address >= range.end) continue;
    place.broken.store(true);
    const std::uintptr_t page = address - address % static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const long mapped = ::syscall(SYS_mmap, page, range.end - page, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
    return mapped == static_cast<long>(page);
  }
  return false;
}

/// What would have happened without this handler.
void PassOn(int signal, siginfo_t* info, void* context) {
  const bool takes_info = (static_cast<unsigned>(previous_action.sa_flags) & static_cast<unsigned>(SA_SIGINFO)) != 0;
  if (takes_info) return previous_action.sa_sigaction(signal, info, context);
  if (previous_action.sa_handler != SIG_DFL && previous_action.sa_handler != SIG_IGN) {
    return previous_action.sa_handler(signal);
  }
  const bool was_sent = info->si_code <= 0;
  if (was_sent && previous_action.sa_handler == SIG_IGN) return;
  struct sigaction default_action = {};
  default_action.sa_handler = SIG_DFL;
  ::sigaction(signal, &default_action, nullptr);
  // A fault comes again when this returns; a signal that was sent does not.
  if (was_sent) ::raise(signal);
}

void HandleBusFault(int signal, siginfo_t* info, void* context) {
  const int error = errno;
  const bool is_fault = info->si_code == BUS_ADRERR;
  if (!is_fault || !PutZeros(reinterpret_cast<std::uintptr_t>(info->si_addr))) PassOn(signal, info, context);
  errno = error;
}

/// The handler is there from the first range on: a process without any keeps the one it had.
bool InstallHandler() {
  static const bool installed = [] {
    struct sigaction action = {};
    action.sa_sigaction = HandleBusFault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    return ::sigaction(SIGBUS, &action, &previous_action) == 0;
  }();
  return installed;
}

}  // namespace

bool BusFaultGuard::Acquire(const std::uint8_t* base, std::size_t size) {
  const std::scoped_lock lock(places_mutex);
  if (place_ != kNowhere || !InstallHandler()) return false;
  const auto* free =
      std::find_if(places.begin(), places.end(), [](const Place& place) { return place.end.load() == 0; });
  if (free == places.end()) return false;
  place_ = static_cast<std::size_t>(free - places.begin());
  Place& place = places[place_];
  place.broken.store(false);
  const auto begin = reinterpret_cast<std::uintptr_t>(base);
  WriteRange(place, {begin, begin + size});
  places_in_use.store(std::max(places_in_use.load(), place_ + 1));
  return true;
}

void BusFaultGuard::Release() {
  if (place_ == kNowhere) return;
  const std::scoped_lock lock(places_mutex);
  WriteRange(places[place_], {});
  place_ = kNowhere;
}

bool BusFaultGuard::broken() const { return place_ != kNowhere && places[place_].broken.load(); }

}  // namespace vinery

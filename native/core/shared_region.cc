#include "core/shared_region.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "core/shortened.h"

namespace vinery {
namespace {

constexpr std::size_t kLongestKey = 255;

std::uint64_t PageBytes() { return static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)); }

std::uint64_t RoundUp(std::uint64_t size) {
  const std::uint64_t page = PageBytes();
  return (size + page - 1) / page * page;
}

Status Refused(const std::string& name, const std::string& why) {
  return {StatusCode::kSharedMemoryInvalid,
          "failed to register shared memory region '" + Shortened(name) + "': invalid args: " + why};
}

/// A name of POSIX shared memory and nothing else: one slash in front at most, no other, and no way to another folder.
bool IsPlainKey(const std::string& key) {
  const std::string name = key.substr(!key.empty() && key.front() == '/' ? 1 : 0);
  const bool is_dots = name == "." || name == "..";
  return !name.empty() && !is_dots && name.size() <= kLongestKey && name.find('/') == std::string::npos &&
         name.find('\0') == std::string::npos;
}

Descriptor OpenShared(const std::string& key, bool& writable) {
  // What is no plain file, such as a pipe, must not make this wait.
  Descriptor file(::shm_open(key.c_str(), O_RDWR | O_NONBLOCK, 0));
  writable = file.get() >= 0;
  if (!writable && (errno == EACCES || errno == EROFS)) {
    return Descriptor(::shm_open(key.c_str(), O_RDONLY | O_NONBLOCK, 0));
  }
  return file;
}

bool FileBytes(int file, std::uint64_t& size) {
  struct stat found = {};
  if (::fstat(file, &found) != 0 || !S_ISREG(found.st_mode) || found.st_size < 0) return false;
  size = static_cast<std::uint64_t>(found.st_size);
  return true;
}

bool LiesWithin(const SharedRegionDescription& region, std::uint64_t size) {
  return region.offset <= size && region.byte_size <= size - region.offset;
}

}  // namespace

Status SharedRegion::Open(SharedRegionDescription description, std::uint32_t id,
                          std::unique_ptr<SharedRegion>& region) {
  const std::string& key = description.key;
  if (!IsPlainKey(key)) {
    return Refused(description.name, "expected a key that is the name of POSIX shared memory, received '" +
                                         key.substr(0, key.find('\0')) + "'");
  }
  if (description.byte_size == 0) return Refused(description.name, "expected a byte size of at least 1, received 0");
  bool writable = false;
  Descriptor file = OpenShared(key, writable);
  if (file.get() < 0) {
    return {StatusCode::kSharedMemoryOpen,
            "Unable to open shared memory region: '" + key + "': " + std::strerror(errno)};
  }
  std::uint64_t size = 0;
  if (!FileBytes(file.get(), size)) {
    return {StatusCode::kSharedMemoryOpen, "Invalid shared memory region: '" + key + "': it is no plain file"};
  }
  if (!LiesWithin(description, size)) {
    return Refused(description.name, "offset " + std::to_string(description.offset) + " and byte size " +
                                         std::to_string(description.byte_size) + " lead beyond the " +
                                         std::to_string(size) + " bytes of key '" + key + "'");
  }
  region = std::make_unique<SharedRegion>(std::move(description), id, std::move(file), writable);
  return Status::Ok();
}

SharedRegion::SharedRegion(SharedRegionDescription description, std::uint32_t id, Descriptor file, bool writable)
    : description_(std::move(description)), id_(id), file_(std::move(file)), writable_(writable) {}

SharedRegion::~SharedRegion() { UnmapAll(); }

bool SharedRegion::IsWhole() const {
  std::uint64_t size = 0;
  return FileBytes(file_.get(), size) && LiesWithin(description_, size);
}

bool SharedRegion::IsBroken(const void* user) const {
  const auto found = mappings_.find(user);
  return found != mappings_.end() && found->second->guard.broken();
}

std::uint64_t SharedRegion::lead() const { return description_.offset % PageBytes(); }

std::uint64_t SharedRegion::room() const { return RoundUp(lead() + description_.byte_size) + PageBytes(); }

Status SharedRegion::Map(const void* user, std::uint8_t* memory, std::uint64_t size, std::uint64_t& begin) {
  const auto address = reinterpret_cast<std::uintptr_t>(memory);
  const std::uint64_t skipped = RoundUp(address) - address;
  const std::uint64_t mapped = RoundUp(lead() + description_.byte_size);
  if (IsMapped(user) || size < skipped || size - skipped < mapped) {
    return {StatusCode::kSharedMemoryInvalid, "expected " + std::to_string(room()) + " bytes for region '" +
                                                  Shortened(description_.name) + "' that has no memory yet, received " +
                                                  std::to_string(size)};
  }
  auto mapping = std::make_unique<Mapping>();
  mapping->base = memory + skipped;
  mapping->size = mapped;
  if (!mapping->guard.Acquire(mapping->base, mapping->size)) {
    return {StatusCode::kSharedMemoryLimit, "too many shared memory regions are in use"};
  }
  // What may only be read is the process's own where a node writes its input all the same, which must not end it.
  const int sharing = writable_ ? MAP_SHARED | MAP_FIXED : MAP_PRIVATE | MAP_FIXED;
  const auto from = static_cast<off_t>(description_.offset - lead());
  if (::mmap(mapping->base, mapping->size, PROT_READ | PROT_WRITE, sharing, file_.get(), from) == MAP_FAILED) {
    const int number = errno;
    Clear(*mapping);
    return {StatusCode::kSharedMemoryOpen,
            "Unable to map shared memory region: '" + Shortened(description_.name) + "': " + std::strerror(number)};
  }
  begin = skipped + lead();
  mappings_[user] = std::move(mapping);
  return Status::Ok();
}

void SharedRegion::Unmap(const void* user) {
  const auto found = mappings_.find(user);
  if (found == mappings_.end()) return;
  Clear(*found->second);
  mappings_.erase(found);
}

void SharedRegion::UnmapAll() {
  for (const auto& entry : mappings_) Clear(*entry.second);
  mappings_.clear();
}

/// The memory is the allocator's again once JavaScript lets go of it, so it must be there.
void SharedRegion::Clear(const Mapping& mapping) {
  const void* cleared = ::mmap(mapping.base, mapping.size, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
  // Out of mappings: the client's memory stays where it is, guarded by nobody, and the process cannot go on safely.
  if (cleared == MAP_FAILED) std::abort();
}

}  // namespace vinery

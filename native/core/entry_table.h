#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/status.h"

namespace vinery {

/// What a table calls its entries in the texts of its faults.
struct EntryWords {
  StatusCode fault;
  /// For example `model`.
  const char* noun;
  /// What happens to an entry once, for example `compiled`.
  const char* participle;
};

/// Things under process-wide numbers: one thread reserves a number, another one makes the thing, and all of them find
/// it. Every function may be called on any thread.
template <typename Held>
class EntryTable {
 public:
  explicit EntryTable(const EntryWords& words) : words_(words) {}

  std::uint32_t Reserve() {
    const std::scoped_lock lock(mutex_);
    entries_.emplace(++last_id_, Entry{});
    return last_id_;
  }

  /// Enters a thing that is there already under a number of its own.
  std::uint32_t Add(std::shared_ptr<const Held> held) {
    const std::scoped_lock lock(mutex_);
    entries_.emplace(++last_id_, Entry{true, std::move(held)});
    return last_id_;
  }

  /// Makes the thing of a reserved entry by `make(held)`, without a lock, so others go on. A fault when the entry is
  /// unknown, in use already, or released meanwhile; after another fault the entry is empty again.
  template <typename Make>
  Status Fill(std::uint32_t id, Make&& make) {
    if (Status status = Take(id); !status.ok()) return status;
    std::shared_ptr<const Held> held;
    Status made = std::forward<Make>(make)(held);
    Status stored = Store(id, std::move(held));
    return made.ok() ? std::move(stored) : std::move(made);
  }

  /// Drops the entry; who uses the thing goes on using it.
  void Release(std::uint32_t id) {
    // Freeing takes time and joins threads: not under the lock.
    Entry released;
    const std::scoped_lock lock(mutex_);
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    released = std::move(found->second);
    entries_.erase(found);
  }

  /// Everything that was made and not released.
  std::vector<std::shared_ptr<const Held>> All() const {
    std::vector<std::shared_ptr<const Held>> all;
    const std::scoped_lock lock(mutex_);
    for (const auto& [id, entry] : entries_) {
      if (entry.held != nullptr) all.push_back(entry.held);
    }
    return all;
  }

  bool IsKnown(std::uint32_t id) const {
    const std::scoped_lock lock(mutex_);
    return entries_.find(id) != entries_.end();
  }

  Status Find(std::uint32_t id, std::shared_ptr<const Held>& held) const {
    const std::scoped_lock lock(mutex_);
    const auto found = entries_.find(id);
    if (found == entries_.end()) return Fault(id, "is unknown");
    if (found->second.held == nullptr) return Fault(id, std::string("is not ") + words_.participle);
    held = found->second.held;
    return Status::Ok();
  }

 private:
  struct Entry {
    bool taken = false;
    std::shared_ptr<const Held> held;
  };

  Status Take(std::uint32_t id) {
    const std::scoped_lock lock(mutex_);
    const auto found = entries_.find(id);
    const std::string participle = words_.participle;
    if (found == entries_.end()) return Fault(id, "is unknown");
    if (found->second.taken) return Fault(id, "is " + participle + " already or is being " + participle);
    found->second.taken = true;
    return Status::Ok();
  }

  Status Store(std::uint32_t id, std::shared_ptr<const Held> held) {
    const std::scoped_lock lock(mutex_);
    const auto found = entries_.find(id);
    if (found == entries_.end()) return Fault(id, std::string("was released while it was ") + words_.participle);
    found->second.taken = held != nullptr;
    found->second.held = std::move(held);
    return Status::Ok();
  }

  Status Fault(std::uint32_t id, const std::string& why) const {
    return {words_.fault, std::string(words_.noun) + " " + std::to_string(id) + " " + why};
  }

  const EntryWords words_;
  mutable std::mutex mutex_;
  std::unordered_map<std::uint32_t, Entry> entries_;
  std::uint32_t last_id_ = 0;
};

}  // namespace vinery

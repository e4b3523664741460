#include "core/slab_table.h"

#include <string>

namespace vinery {

std::uint32_t SlabTable::Add(std::uint8_t* base, std::uint64_t size) {
  if (free_ids_.empty()) {
    free_ids_.push_back(static_cast<std::uint32_t>(slabs_.size()));
    slabs_.emplace_back();
  }
  const std::uint32_t id = free_ids_.back();
  free_ids_.pop_back();
  slabs_[id] = Slab{base, size, ++last_generation_};
  return id;
}

void SlabTable::Remove(std::uint32_t id) {
  slabs_.at(id) = Slab{};
  free_ids_.push_back(id);
}

void SlabTable::Clear() {
  slabs_.clear();
  free_ids_.clear();
}

const Slab* SlabTable::Find(std::uint64_t id) const {
  if (id >= slabs_.size() || slabs_[id].generation == 0) return nullptr;
  return &slabs_[id];
}

Status SlabTable::Resolve(std::uint64_t id, std::uint64_t offset, std::uint64_t length, std::uint8_t*& address) const {
  const Slab* slab = Find(id);
  if (slab == nullptr) return {StatusCode::kBindingFailed, "slab " + std::to_string(id) + " is not registered"};
  if (offset > slab->size || length > slab->size - offset) {
    return {StatusCode::kBindingFailed, std::to_string(length) + " bytes at offset " + std::to_string(offset) +
                                            " do not fit into slab " + std::to_string(id) + " of " +
                                            std::to_string(slab->size) + " bytes"};
  }
  address = slab->base + offset;
  return Status::Ok();
}

}  // namespace vinery

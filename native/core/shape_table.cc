#include "core/shape_table.h"

#include <algorithm>
#include <utility>

namespace vinery {
namespace {

/// Combinations of shapes that are remembered, a few hundred bytes each.
constexpr std::size_t kRemembered = 1024;
constexpr std::size_t kRememberedRefusals = 256;
/// Compilations for single shapes, each with weights of its own.
constexpr std::size_t kKeptFixed = 8;
constexpr std::size_t kMostThreads = 4;
constexpr std::chrono::seconds kIdleTime(2);

std::shared_ptr<ModelVariant> NewVariant(ov::CompiledModel compiled, bool is_fixed, bool is_static_inside) {
  auto variant = std::make_shared<ModelVariant>();
  variant->compiled = std::move(compiled);
  variant->is_fixed = is_fixed;
  variant->is_static_inside = is_static_inside;
  return variant;
}

std::shared_ptr<const ShapeVerdict> Refused(Status status) {
  auto verdict = std::make_shared<ShapeVerdict>();
  verdict->refusal = std::move(status);
  return verdict;
}

std::shared_ptr<const ShapeVerdict> InferredBy(const ShapeVerdict& verdict, std::shared_ptr<ModelVariant> variant) {
  auto inferred = std::make_shared<ShapeVerdict>(verdict);
  inferred->variant = std::move(variant);
  return inferred;
}

}  // namespace

ShapeThreads::ShapeThreads() : pool_(kMostThreads, kIdleTime) {}

void ShapeErrand::Withdraw() {
  const std::scoped_lock lock(mutex_);
  ready_ = nullptr;
}

void ShapeErrand::Tell(std::shared_ptr<const ShapeVerdict> verdict) {
  const std::scoped_lock lock(mutex_);
  verdict_ = std::move(verdict);
  if (ready_ != nullptr) ready_();
}

std::shared_ptr<const ShapeVerdict> ShapeErrand::TakeVerdict() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(verdict_, nullptr);
}

ShapeTable::ShapeTable(std::shared_ptr<const ov::Model> model, ShapeSource source, std::weak_ptr<ShapeThreads> threads)
    : model_(std::move(model)), source_(std::move(source)), threads_(std::move(threads)) {}

void ShapeTable::Begin(ov::CompiledModel compiled, const InputShapes& shapes) {
  // Nothing is inferred by it in a fixed model, but infer requests can be made of it.
  if (!source_.is_fixed || shapes.empty()) {
    shared_ = NewVariant(std::move(compiled), false, false);
    return;
  }
  const auto verdict = Check(shapes, true);
  if (!verdict->refusal.ok()) return;
  const auto variant = NewVariant(std::move(compiled), true, false);
  KeepFixed(shapes, variant);
  Remember(shapes, InferredBy(*verdict, variant), true);
}

std::shared_ptr<ModelVariant> ShapeTable::AnyShared() {
  const std::scoped_lock lock(mutex_);
  return shared_;
}

std::shared_ptr<ModelVariant> ShapeTable::AnyVariant() {
  const std::scoped_lock lock(mutex_);
  return shared_ != nullptr || fixed_.empty() ? shared_ : fixed_.front().second;
}

std::shared_ptr<const ShapeVerdict> ShapeTable::Find(const InputShapes& shapes) {
  const std::scoped_lock lock(mutex_);
  return FindLocked(shapes);
}

std::shared_ptr<const ShapeVerdict> ShapeTable::FindLocked(const InputShapes& shapes) {
  const auto found = entries_.find(shapes);
  if (found == entries_.end()) return nullptr;
  Entry& entry = found->second;
  if (!entry.verdict->refusal.ok()) {
    refused_.splice(refused_.begin(), refused_, entry.place);
    return entry.verdict;
  }
  taken_.splice(taken_.begin(), taken_, entry.place);
  if (entry.is_fixed) {
    const auto& variant = entry.verdict->variant;
    if (variant == nullptr || variant->is_retired) return nullptr;
    const auto kept =
        std::find_if(fixed_.begin(), fixed_.end(), [&variant](const auto& one) { return one.second == variant; });
    if (kept != fixed_.end()) fixed_.splice(fixed_.begin(), fixed_, kept);
    return entry.verdict;
  }
  if (shared_ == nullptr) return nullptr;
  if (entry.verdict->variant != shared_) entry.verdict = InferredBy(*entry.verdict, shared_);
  return entry.verdict;
}

std::shared_ptr<const ShapeVerdict> ShapeTable::Resolve(const InputShapes& shapes) {
  const std::scoped_lock working(work_);
  if (auto found = Find(shapes); found != nullptr) return found;
  return Decide(shapes);
}

void ShapeTable::ResolveLater(InputShapes shapes, std::shared_ptr<ShapeErrand> errand) {
  {
    const std::scoped_lock lock(mutex_);
    waiting_.push_back({std::move(shapes), std::move(errand)});
    if (std::exchange(is_working_, true)) return;
  }
  const auto threads = threads_.lock();
  std::uint64_t ticket = 0;
  const bool posted =
      threads != nullptr && threads->pool().Post([self = shared_from_this()] { self->Work(); }, ticket).ok();
  if (!posted) Work();
}

void ShapeTable::Work() {
  for (;;) {
    Waiting next;
    {
      const std::scoped_lock lock(mutex_);
      if (waiting_.empty()) {
        is_working_ = false;
        return;
      }
      next = std::move(waiting_.front());
      waiting_.pop_front();
    }
    next.errand->Tell(Resolve(next.shapes));
  }
}

void ShapeTable::Prove(const InputShapes& shapes) {
  const std::scoped_lock lock(mutex_);
  if (const auto found = entries_.find(shapes); found != entries_.end()) found->second.is_proved = true;
}

ShapeFailure ShapeTable::Fail(const std::shared_ptr<ModelVariant>& variant, const InputShapes& shapes) {
  const std::scoped_lock lock(mutex_);
  if (variant->is_static_inside) return ShapeFailure::kOwn;
  if (variant->is_broken.exchange(true)) return ShapeFailure::kVictim;
  variant->is_retired = true;
  ++epoch_;
  if (variant->is_fixed) {
    fixed_.remove_if([&variant](const auto& one) { return one.second == variant; });
    return ShapeFailure::kOwn;
  }
  if (shared_ == variant) shared_ = nullptr;
  const auto found = entries_.find(shapes);
  if (found != entries_.end() && !found->second.is_proved) found->second.is_fixed = true;
  return ShapeFailure::kSuspect;
}

/// Under `work_`.
std::shared_ptr<const ShapeVerdict> ShapeTable::Decide(const InputShapes& shapes) {
  if (Status compiled = CompileShared(); !compiled.ok()) return Refused(std::move(compiled));
  bool is_fixed = source_.is_fixed;
  bool is_proved = false;
  std::shared_ptr<const ShapeVerdict> verdict;
  {
    const std::scoped_lock lock(mutex_);
    if (const auto found = entries_.find(shapes); found != entries_.end()) {
      verdict = found->second.verdict;
      is_fixed = found->second.is_fixed;
      is_proved = found->second.is_proved;
    }
  }
  if (verdict == nullptr) verdict = Check(shapes, is_fixed);
  if (!verdict->refusal.ok()) return verdict;
  // Another one may have failed since; then it is asked for again.
  if (!is_fixed) return InferredBy(*verdict, AnyShared());
  std::shared_ptr<ModelVariant> variant;
  Status compiled = CompileFixed(shapes, variant);
  if (compiled.ok()) {
    KeepFixed(shapes, variant);
    verdict = InferredBy(*verdict, std::move(variant));
  } else {
    verdict = Refused(std::move(compiled));
    // Other faults, as of memory, say nothing of the shapes.
    if (is_proved || verdict->refusal.code() != StatusCode::kReshapeFailed) return verdict;
  }
  Remember(shapes, verdict, true);
  return verdict;
}

/// Asks the model itself, and remembers what it says.
std::shared_ptr<const ShapeVerdict> ShapeTable::Check(const InputShapes& shapes, bool is_fixed) {
  auto verdict = std::make_shared<ShapeVerdict>();
  std::shared_ptr<ov::Model> fitted;
  verdict->refusal = FitShapes(*model_, shapes, fitted);
  if (verdict->refusal.ok()) verdict->refusal = CheckBounds(*model_, shapes);
  if (fitted != nullptr) {
    for (const auto& output : fitted->outputs()) verdict->outputs.push_back(output.get_partial_shape());
  }
  Remember(shapes, verdict, is_fixed);
  return verdict;
}

void ShapeTable::Remember(const InputShapes& shapes, std::shared_ptr<const ShapeVerdict> verdict, bool is_fixed) {
  const std::scoped_lock lock(mutex_);
  bool is_proved = false;
  if (const auto found = entries_.find(shapes); found != entries_.end()) {
    is_proved = found->second.is_proved;
    (found->second.verdict->refusal.ok() ? taken_ : refused_).erase(found->second.place);
    entries_.erase(found);
  }
  const bool is_refused = !verdict->refusal.ok();
  auto& list = is_refused ? refused_ : taken_;
  list.push_front(shapes);
  entries_.emplace(shapes, Entry{std::move(verdict), is_fixed, is_proved, list.begin()});
  if (list.size() <= (is_refused ? kRememberedRefusals : kRemembered)) return;
  entries_.erase(list.back());
  list.pop_back();
}

/// Under `work_`.
Status ShapeTable::CompileShared() {
  if (source_.is_fixed || AnyShared() != nullptr) return Status::Ok();
  std::shared_ptr<ov::Model> model;
  if (Status status = source_.remake(model); !status.ok()) return status;
  ov::CompiledModel compiled;
  if (Status status = source_.compile(model, false, compiled); !status.ok()) return status;
  const std::scoped_lock lock(mutex_);
  shared_ = NewVariant(std::move(compiled), false, false);
  ++epoch_;
  return Status::Ok();
}

Status ShapeTable::CompileFixed(const InputShapes& shapes, std::shared_ptr<ModelVariant>& variant) {
  std::shared_ptr<ov::Model> model;
  std::shared_ptr<ov::Model> fitted;
  if (Status status = source_.remake(model); !status.ok()) return status;
  if (Status status = FitShapes(*model, shapes, fitted); !status.ok()) return status;
  ov::CompiledModel compiled;
  if (const Status status = source_.compile(fitted, true, compiled); !status.ok()) {
    return {StatusCode::kReshapeFailed, status.text()};
  }
  variant = NewVariant(std::move(compiled), true, IsStaticInside(*fitted));
  return Status::Ok();
}

void ShapeTable::KeepFixed(const InputShapes& shapes, const std::shared_ptr<ModelVariant>& variant) {
  // Freed without the lock: that joins threads.
  std::shared_ptr<ModelVariant> dropped;
  const std::scoped_lock lock(mutex_);
  fixed_.emplace_front(shapes, variant);
  // Also where none goes: whoever uses one asks again, so that it counts as used.
  ++epoch_;
  if (fixed_.size() <= kKeptFixed) return;
  dropped = fixed_.back().second;
  dropped->is_retired = true;
  const auto found = entries_.find(fixed_.back().first);
  if (found != entries_.end() && found->second.verdict->variant == dropped) {
    found->second.verdict = InferredBy(*found->second.verdict, nullptr);
  }
  fixed_.pop_back();
}

}  // namespace vinery

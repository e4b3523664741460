#include "core/sequence_table.h"

#include <algorithm>
#include <utility>

namespace vinery {

Status SequenceTable::Enter(std::uint64_t id, SequenceControl control, std::shared_ptr<SequenceTurn>& turn) {
  const std::scoped_lock lock(mutex_);
  Sequence* sequence = nullptr;
  Status status = control == SequenceControl::kStart ? Make(id, sequence) : Find(id, sequence);
  if (!status.ok()) return status;
  turn = std::make_shared<SequenceTurn>(shared_from_this(), *sequence, control);
  sequence->turns.push_back(turn.get());
  if (control == SequenceControl::kEnd) sequence->terminated = true;
  if (sequence->turns.size() == 1) turn->Grant();
  return Status::Ok();
}

/// The limit comes first, whatever the id (as OVMS 2026.2.1).
Status SequenceTable::Make(std::uint64_t id, Sequence*& sequence) {
  sequence = FindAbandoned(id);
  if (sequence != nullptr) return Status::Ok();
  if (sequences_.size() >= limit_) return {StatusCode::kSequenceLimit, ""};
  const auto found = sequences_.find(id);
  if (found != sequences_.end()) {
    return {found->second.terminated ? StatusCode::kSequenceTerminated : StatusCode::kSequenceExists, ""};
  }
  const std::uint64_t own = id == 0 ? UnusedId() : id;
  sequence = &sequences_[own];
  sequence->id = own;
  return Status::Ok();
}

SequenceTable::Sequence* SequenceTable::FindAbandoned(std::uint64_t id) {
  const auto found = sequences_.find(id);
  if (found == sequences_.end()) return nullptr;
  const auto& turns = found->second.turns;
  const bool is_left = !turns.empty() && turns.front()->abandoned_ && IsFirst(turns.front());
  if (!is_left || std::count_if(turns.begin(), turns.end(), IsFirst) != 1) return nullptr;
  found->second.terminated = false;
  return &found->second;
}

Status SequenceTable::Find(std::uint64_t id, Sequence*& sequence) {
  const auto found = sequences_.find(id);
  if (found == sequences_.end() || found->second.terminated) return {StatusCode::kSequenceMissing, ""};
  sequence = &found->second;
  return Status::Ok();
}

/// Goes on counting, so that a late request of a sequence that has ended does not meet another one.
std::uint64_t SequenceTable::UnusedId() {
  while (next_id_ == 0 || sequences_.count(next_id_) != 0) ++next_id_;
  return next_id_++;
}

std::vector<std::uint64_t> SequenceTable::RemoveIdle() {
  const std::scoped_lock lock(mutex_);
  std::vector<std::uint64_t> removed;
  for (auto each = sequences_.begin(); each != sequences_.end();) {
    Sequence& sequence = each->second;
    const bool is_used = !sequence.turns.empty();
    if (!is_used && sequence.idle) {
      removed.push_back(sequence.id);
      each = sequences_.erase(each);
      continue;
    }
    if (!is_used) sequence.idle = true;
    ++each;
  }
  return removed;
}

std::size_t SequenceTable::size() const {
  const std::scoped_lock lock(mutex_);
  return sequences_.size();
}

void SequenceTable::Leave(SequenceTurn& turn, bool commit) {
  Sequence& sequence = *turn.sequence_;
  auto& turns = sequence.turns;
  turns.erase(std::find(turns.begin(), turns.end(), &turn));
  const bool is_end = turn.control_ == SequenceControl::kEnd;
  if (commit ? is_end : IsFirst(&turn)) return Remove(sequence);
  // Another last one may have come behind one that was abandoned.
  if (is_end && !turn.abandoned_) sequence.terminated = false;
  if (commit) {
    if (turn.saved_) sequence.state.swap(*turn.saved_);
    sequence.idle = false;
  }
  if (!turns.empty() && turns.front()->stage_ == SequenceTurn::Stage::kWaiting) turns.front()->Grant();
}

/// Whoever waits for a sequence whose first request failed is told that there is none. Another first request that waits
/// begins it anew.
void SequenceTable::Remove(Sequence& sequence) {
  auto& turns = sequence.turns;
  const auto next = std::find_if(turns.begin(), turns.end(), IsFirst);
  std::for_each(turns.begin(), next, [](SequenceTurn* turn) { turn->Refuse({StatusCode::kSequenceMissing, ""}); });
  turns.erase(turns.begin(), next);
  if (!turns.empty()) return turns.front()->Grant();
  sequences_.erase(sequence.id);
}

bool SequenceTable::IsFirst(const SequenceTurn* turn) { return turn->control_ == SequenceControl::kStart; }

SequenceTurn::SequenceTurn(std::shared_ptr<SequenceTable> table, SequenceTable::Sequence& sequence,
                           SequenceControl control)
    : table_(std::move(table)), id_(sequence.id), control_(control), sequence_(&sequence) {}

SequenceTurn::~SequenceTurn() { Finish(false); }

bool SequenceTurn::granted() const {
  const std::scoped_lock lock(table_->mutex_);
  return stage_ == Stage::kGranted;
}

void SequenceTurn::Start(Done done, Again /*again*/) {
  const std::scoped_lock lock(table_->mutex_);
  awaited_ = true;
  done_ = std::move(done);
  if (stage_ != Stage::kWaiting) Tell();
}

void SequenceTurn::Wait() {
  // `done_` is only ever called under the lock, and `Cancel` came before.
  const std::scoped_lock lock(table_->mutex_);
}

bool SequenceTurn::Withdraw() {
  const std::scoped_lock lock(table_->mutex_);
  if (stage_ != Stage::kWaiting) return false;
  table_->Leave(*this, false);
  Refuse({StatusCode::kCancelled, "the request was withdrawn before its turn came"});
  return true;
}

Status SequenceTurn::Load(ov::InferRequest& request) {
  if (!granted()) return {StatusCode::kBindingFailed, "it is not this request's turn in its sequence"};
  // Nobody else touches the state of a sequence in the turn of this request.
  return control_ == SequenceControl::kStart ? ResetState(request) : LoadState(request, sequence_->state);
}

Status SequenceTurn::Save(ov::InferRequest& request) {
  SequenceState state;
  if (Status status = SaveState(request, state); !status.ok()) return status;
  const std::scoped_lock lock(table_->mutex_);
  saved_ = std::move(state);
  return Status::Ok();
}

void SequenceTurn::Abandon() {
  const std::scoped_lock lock(table_->mutex_);
  if (stage_ != Stage::kGranted || abandoned_) return;
  abandoned_ = true;
  if (control_ == SequenceControl::kEnd) sequence_->terminated = false;
}

void SequenceTurn::Finish(bool commit) {
  const std::scoped_lock lock(table_->mutex_);
  if (stage_ == Stage::kOver) return;
  table_->Leave(*this, commit && stage_ == Stage::kGranted && !abandoned_);
  stage_ = Stage::kOver;
}

void SequenceTurn::Grant() {
  stage_ = Stage::kGranted;
  Tell();
}

void SequenceTurn::Refuse(Status why) {
  stage_ = Stage::kOver;
  refusal_ = std::move(why);
  Tell();
}

void SequenceTurn::Tell() {
  if (done_) std::exchange(done_, nullptr)(refusal_, 0);
}

}  // namespace vinery

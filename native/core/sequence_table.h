#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/flight.h"
#include "core/sequence_state.h"
#include "core/status.h"

namespace vinery {

class SequenceTurn;

/// What a request asks of its sequence; the numbers are those of clients (as OVMS 2026.2.1).
enum class SequenceControl : std::uint32_t { kNone = 0, kStart = 1, kEnd = 2 };

/// The sequences of one stateful model, for all JavaScript threads: a request may come on any of them. The compiled
/// model holds it, so sequences end with their model. Requests of one sequence run one after the other, in the order in
/// which they entered; each is a turn. Every function may be called on any thread.
class SequenceTable : public std::enable_shared_from_this<SequenceTable> {
 public:
  /// @param limit sequences at once.
  explicit SequenceTable(std::uint32_t limit) : limit_(limit) {}

  /// Queues a request behind the others of its sequence; `turn` may be granted already. On `kStart` the sequence is
  /// made, under an id of the table's own for id 0. `kSequenceLimit`, `kSequenceExists`, `kSequenceTerminated` (only
  /// for `kStart` while the last request runs) or `kSequenceMissing`.
  Status Enter(std::uint64_t id, SequenceControl control, std::shared_ptr<SequenceTurn>& turn);

  /// Removes every sequence that has had no successful request since the last call, and returns their ids. Those with
  /// requests that run or wait are left alone.
  std::vector<std::uint64_t> RemoveIdle();

  std::size_t size() const;

 private:
  friend class SequenceTurn;

  struct Sequence {
    std::uint64_t id = 0;
    SequenceState state;
    /// Its last request runs or waits: nobody may enter behind it.
    bool terminated = false;
    bool idle = false;
    /// Not owned; the first one has its turn.
    std::deque<SequenceTurn*> turns;
  };

  /// What follows is called with the lock held.
  Status Make(std::uint64_t id, Sequence*& sequence);
  /// The sequence of a first request that nobody waits for any more: another first one may follow it.
  Sequence* FindAbandoned(std::uint64_t id);
  Status Find(std::uint64_t id, Sequence*& sequence);
  std::uint64_t UnusedId();
  void Leave(SequenceTurn& turn, bool commit);
  void Remove(Sequence& sequence);
  static bool IsFirst(const SequenceTurn* turn);

  const std::uint32_t limit_;
  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, Sequence> sequences_;
  std::uint64_t next_id_ = 1;
};

/// One request in its sequence, from entering until it is finished. It waits as a flight of its environment: `Done` is
/// called, on any thread, when its turn has come, or with `kSequenceMissing` when the sequence ended before.
/// One that is dropped unfinished changes nothing of its sequence.
class SequenceTurn : public Flight {
 public:
  SequenceTurn(std::shared_ptr<SequenceTable> table, SequenceTable::Sequence& sequence, SequenceControl control);
  SequenceTurn(const SequenceTurn&) = delete;
  SequenceTurn& operator=(const SequenceTurn&) = delete;
  SequenceTurn(SequenceTurn&&) = delete;
  SequenceTurn& operator=(SequenceTurn&&) = delete;
  ~SequenceTurn() override;

  std::uint64_t sequence_id() const { return id_; }
  bool granted() const;
  /// Whether it was started as a flight before: that is possible once.
  bool awaited() const { return awaited_; }

  void Start(Done done, Again again) override;
  Status Land(Status end) override { return end; }
  void Cancel() override { Withdraw(); }
  void Wait() override;
  bool Uses(const Slab& /*slab*/) const override { return false; }

  /// Takes it out of the queue; it ends as `kCancelled`. False when its turn has come.
  bool Withdraw();

  /// Sets the sequence's state into an idle infer request: at the start of a sequence what the model says.
  Status Load(ov::InferRequest& request);
  /// Keeps the state that an inference has left, for `Finish`. Any thread.
  Status Save(ov::InferRequest& request);

  /// Nobody waits for it any more while it runs: it will not be committed, so that the same request may follow it.
  void Abandon();

  /// Lets the next request of the sequence have its turn. With `commit` the state kept becomes the sequence's, or the
  /// sequence ends; without, the sequence is as it was before this request, so one that only began is gone.
  void Finish(bool commit);

 private:
  friend class SequenceTable;
  enum class Stage { kWaiting, kGranted, kOver };

  /// What follows is called with the table's lock held.
  void Grant();
  void Refuse(Status why);
  void Tell();

  const std::shared_ptr<SequenceTable> table_;
  const std::uint64_t id_;
  const SequenceControl control_;
  /// The table's; there as long as this turn is not over.
  SequenceTable::Sequence* sequence_;
  bool awaited_ = false;
  bool abandoned_ = false;
  Stage stage_ = Stage::kWaiting;
  Status refusal_ = Status::Ok();
  std::optional<SequenceState> saved_;
  Done done_;
};

}  // namespace vinery

#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <openvino/runtime/compiled_model.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "core/shape_check.h"
#include "core/status.h"
#include "core/thread_pool.h"

namespace vinery {

/// One compilation of a model: for all shapes, or for those of one request.
struct ModelVariant {
  ov::CompiledModel compiled;
  bool is_fixed = false;
  /// Nothing is dynamic inside, so an inference that fails leaves nothing behind.
  bool is_static_inside = false;
  /// No inference is to begin with it any more; whoever has an infer request of it lets that go.
  std::atomic<bool> is_retired = false;
  /// An inference failed inside: what others answer since then is not to be believed.
  std::atomic<bool> is_broken = false;
};

/// What is known of the shapes of a request.
struct ShapeVerdict {
  /// `kReshapeFailed` when the model cannot take them.
  Status refusal = Status::Ok();
  /// Of the outputs, as the model's operations say; what only an inference tells is dynamic.
  std::vector<ov::PartialShape> outputs;
  /// What infers them; null when they are refused.
  std::shared_ptr<ModelVariant> variant;
};

/// Threads for checks and compilations that requests wait for, one set for the process.
class ShapeThreads {
 public:
  ShapeThreads();
  ShapeThreads(const ShapeThreads&) = delete;
  ShapeThreads& operator=(const ShapeThreads&) = delete;
  ShapeThreads(ShapeThreads&&) = delete;
  ShapeThreads& operator=(ShapeThreads&&) = delete;
  ~ShapeThreads() { pool_.Stop(); }

  ThreadPool& pool() { return pool_; }

 private:
  ThreadPool pool_;
};

/// A request that waits until its shapes are known.
class ShapeErrand {
 public:
  /// @param ready is called once, on a thread of `ShapeThreads`; must not throw.
  explicit ShapeErrand(std::function<void()> ready) : ready_(std::move(ready)) {}

  /// When this has returned, `ready` was called or never is.
  void Withdraw();
  void Tell(std::shared_ptr<const ShapeVerdict> verdict);
  /// What was found out, once it was told; null afterwards.
  std::shared_ptr<const ShapeVerdict> TakeVerdict();

 private:
  std::mutex mutex_;
  std::function<void()> ready_;
  std::shared_ptr<const ShapeVerdict> verdict_;
};

/// Whose fault a failed inference may be.
enum class ShapeFailure {
  /// Its own, and it is to be told.
  kOwn,
  /// The first one of its compilation.
  kSuspect,
  /// Another one failed before it in the same compilation.
  kVictim,
};

/// How a table gets at its model.
struct ShapeSource {
  /// A copy of the model that the first compilation was made of, to be compiled. It shares the constants, and needs no
  /// files.
  std::function<Status(std::shared_ptr<ov::Model>& model)> remake;
  /// With the properties of the first compilation.
  std::function<Status(const std::shared_ptr<ov::Model>& model, bool is_fixed, ov::CompiledModel& compiled)> compile;
  /// Every combination of shapes is compiled by itself.
  bool is_fixed = false;
};

/// Which shapes a model takes, and which compilation infers each: found out once for each combination by the model
/// itself, before memory is touched, and remembered for the last `kRemembered` of them. Models have one whose inputs
/// have open dimensions, or which learn shapes inside from the values of a request.
///
/// What fails inside OpenVINO leaves a compilation with such shapes broken, also for new infer requests: others fail,
/// or answer well with the shapes of before (2026.4.1). Therefore the first failure ends a compilation: nothing begins
/// with it any more, what ends after it is inferred again with the one that takes its place, and shapes that have never
/// been inferred well get a compilation of their own.
///
/// Every function may be called on any thread. Checks and compilations of one table happen one after the other.
class ShapeTable : public std::enable_shared_from_this<ShapeTable> {
 public:
  /// @param model whose operations tell which shapes go together, without weights.
  ShapeTable(std::shared_ptr<const ov::Model> model, ShapeSource source, std::weak_ptr<ShapeThreads> threads);

  /// The first compilation. Once, before anything else.
  /// @param shapes of a fixed model, what it was compiled for; empty when it was compiled for all shapes.
  void Begin(ov::CompiledModel compiled, const InputShapes& shapes);

  /// Changes whenever a verdict that was given may not hold any more.
  std::uint64_t epoch() const { return epoch_.load(std::memory_order_acquire); }

  /// One that an infer request can be made of before its shapes are known; null while there is none.
  std::shared_ptr<ModelVariant> AnyVariant();

  /// Null when it is to be found out first.
  std::shared_ptr<const ShapeVerdict> Find(const InputShapes& shapes);

  /// Finds out; blocks while others are found out, and for a check and perhaps a compilation.
  std::shared_ptr<const ShapeVerdict> Resolve(const InputShapes& shapes);

  /// Has it found out on another thread.
  void ResolveLater(InputShapes shapes, std::shared_ptr<ShapeErrand> errand);

  /// An inference has ended well with the shapes.
  void Prove(const InputShapes& shapes);

  /// An inference failed inside. Cheap; may be called on a thread of the compilation's.
  ShapeFailure Fail(const std::shared_ptr<ModelVariant>& variant, const InputShapes& shapes);

 private:
  struct Entry {
    std::shared_ptr<const ShapeVerdict> verdict;
    /// Not inferred by the compilation that all shapes share.
    bool is_fixed = false;
    bool is_proved = false;
    std::list<InputShapes>::iterator place;
  };
  struct Waiting {
    InputShapes shapes;
    std::shared_ptr<ShapeErrand> errand;
  };

  void Work();
  std::shared_ptr<const ShapeVerdict> FindLocked(const InputShapes& shapes);
  void Remember(const InputShapes& shapes, std::shared_ptr<const ShapeVerdict> verdict, bool is_fixed);
  std::shared_ptr<const ShapeVerdict> Decide(const InputShapes& shapes);
  std::shared_ptr<const ShapeVerdict> Check(const InputShapes& shapes, bool is_fixed);
  std::shared_ptr<ModelVariant> AnyShared();
  Status CompileShared();
  Status CompileFixed(const InputShapes& shapes, std::shared_ptr<ModelVariant>& variant);
  void KeepFixed(const InputShapes& shapes, const std::shared_ptr<ModelVariant>& variant);

  const std::shared_ptr<const ov::Model> model_;
  const ShapeSource source_;
  const std::weak_ptr<ShapeThreads> threads_;
  std::atomic<std::uint64_t> epoch_ = 0;
  /// Held while shapes are found out.
  std::mutex work_;
  /// Held for moments.
  std::mutex mutex_;
  /// For all shapes; null until a broken one is replaced. A fixed model infers nothing by it.
  std::shared_ptr<ModelVariant> shared_;
  std::map<InputShapes, Entry> entries_;
  /// The last used first. Apart, so that refused requests do not push out what others use.
  std::list<InputShapes> taken_;
  std::list<InputShapes> refused_;
  /// Those of single shapes, the last used first.
  std::list<std::pair<InputShapes, std::shared_ptr<ModelVariant>>> fixed_;
  std::deque<Waiting> waiting_;
  bool is_working_ = false;
};

}  // namespace vinery

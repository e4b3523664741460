#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <openvino/runtime/infer_request.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/binding_row.h"
#include "core/compiled_model.h"
#include "core/slab_table.h"
#include "core/status.h"

namespace vinery {

inline constexpr std::size_t kSmallInputBytes = 8192;

/// An execution slot of a compiled model: one inference at a time. Every function runs on the thread of the environment
/// that made it; only the end of a started inference comes on a thread of OpenVINO. Whoever starts an inference keeps
/// this object and the bound slabs alive until the end has been reported.
class InferRequest {
 public:
  /// Called once for each start, on a thread of OpenVINO or of the model, or within `Start` when the inference could
  /// not begin.
  using Done = std::function<void(Status status, std::int32_t micros)>;

  /// @param copies_small inputs of at most `kSmallInputBytes` are copied into tensors that stay set, because setting
  /// one costs more: 1.5 to 2 us each where every request lies elsewhere (measured), a quarter of a tiny inference.
  /// @param compiled one of the model's compilations.
  static Status Create(std::shared_ptr<const CompiledModel> model, const ov::CompiledModel& compiled, bool copies_small,
                       std::shared_ptr<InferRequest>& request);
  InferRequest(std::shared_ptr<const CompiledModel> model, ov::CompiledModel compiled, bool copies_small);
  InferRequest(const InferRequest&) = delete;
  InferRequest& operator=(const InferRequest&) = delete;
  InferRequest(InferRequest&&) = delete;
  InferRequest& operator=(InferRequest&&) = delete;
  /// Waits for a running inference.
  ~InferRequest();

  std::size_t input_count() const { return model_->description().inputs.size(); }
  std::size_t output_count() const { return model_->description().outputs.size(); }
  std::size_t port_count() const { return ports_.size(); }

  /// Sets the tensors that the table names, inputs first; `table` has `port_count()` rows. A port whose row and slab
  /// are those of the last time is left alone: setting a tensor costs OpenVINO more than a small inference's whole
  /// bookkeeping. Strings (`packed_strings.h`) are copied into a tensor of their own, so that their slab is not read
  /// any more afterwards; outputs of strings stay unbound.
  Status Bind(const double* table, const SlabTable& slabs);

  /// Starts with the bound tensors. Not while running.
  void Start(Done done);
  /// Infers and waits; on this thread where no failure can be lost. Not while running.
  Status Infer();
  /// Harmless when nothing runs.
  void Cancel();
  /// Blocks until OpenVINO is through with the inference and its callback. Called before memory may go away.
  void Wait();
  /// The owner's thread tells that it has seen the end. The strings of the inputs are freed.
  void MarkDone();
  bool running() const { return running_; }
  /// For the variables of a stateful model (`core/sequence_state.h`).
  ov::InferRequest& openvino() { return request_; }

  /// Writes shapes of outputs into the table; only those that a client cannot know already. For strings, also how many
  /// bytes they take when packed, in the place of the offset.
  Status WriteOutputShapes(double* table);

  /// Copies an output that OpenVINO allocated, strings packed; `kOutputFailed` when it is bound to a slab or does not
  /// fit.
  Status CopyOutput(std::size_t output, const SlabTable& slabs, std::uint64_t slab, std::uint64_t offset);

  /// Whether any port is bound to the slab.
  bool Uses(const Slab& slab) const;
  Status TensorAddress(std::size_t port, std::uint64_t& address);

 private:
  /// What OpenVINO has at a port now. Unbound: memory of its own.
  struct Port {
    explicit Port(const ov::Output<const ov::Node>& port);
    ov::Output<const ov::Node> output;
    std::optional<ov::Shape> static_shape;
    /// The row that `tensor` was made from.
    RawRow row = {};
    /// 0 when unbound.
    std::uint64_t slab_generation = 0;
    /// The next `Bind` sets the tensor whatever the row says.
    bool stale = false;
    /// Of an output: OpenVINO keeps an earlier port's tensor for it as well, because the model gives one tensor twice
    /// or its result is its parameter. Setting this port's would take that port's away, so what is bound here is filled
    /// by a copy after the inference.
    bool is_twin = false;
    ov::Tensor tensor;
    /// `tensor` has memory of its own, into which an input is copied.
    bool is_copied = false;
    bool bound() const { return slab_generation != 0; }
    bool is_same_tensor(const Port& other) const { return &output.get_tensor() == &other.output.get_tensor(); }
    bool is_string() const { return output.get_element_type() == ov::element::string; }
    /// Of what is never larger than what comes.
    ov::Tensor smallest_tensor() const;
  };

  std::string PortName(std::size_t port) const;
  Status BindPort(std::size_t port, const RawRow& row, const SlabTable& slabs);
  /// `kBindingFailed` for an input without elements where OpenVINO would answer with the last inference's answer.
  Status CheckElements(const RawRow& row) const;
  Status BindSlab(Port& port, const RawRow& raw, const SlabTable& slabs);
  Status CopyInput(Port& port, const RawRow& raw, const SlabTable& slabs);
  Status BindStrings(Port& port, const RawRow& raw, const SlabTable& slabs);
  Status Unbind(Port& port, bool is_input);
  Status WriteOutputShape(Port& port, double* row);
  Status WritePackedSize(const Port& port, double* row);
  Status FillTwin(Port& port);
  bool HasTwin(std::size_t input) const;
  void Finish(const std::exception_ptr& exception);
  /// Infers on this thread; only what cannot fail inside.
  Status InferHere();
  void StartOn(ThreadPool& threads);
  void WaitForThread();

  std::shared_ptr<const CompiledModel> model_;
  bool copies_small_;
  std::vector<Port> ports_;
  Done done_;
  std::chrono::steady_clock::time_point started_at_;
  bool running_ = false;
  bool unsettled_ = false;
  /// Of a model without streams: one of its threads was given the inference, and nobody has waited for it since.
  bool was_posted_ = false;
  std::mutex mutex_;
  std::condition_variable left_;
  /// Under the mutex: that thread uses this object.
  bool is_posted_ = false;
  /// Last, so that it goes first: its end waits for OpenVINO, whose callback uses what stands above.
  ov::InferRequest request_;
};

}  // namespace vinery

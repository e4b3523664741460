#include "core/infer_request.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "core/elapsed.h"
#include "core/empty_inputs.h"
#include "core/float_mode.h"
#include "core/openvino_fault.h"
#include "core/packed_strings.h"
#include "core/tensor_copy.h"

namespace vinery {
namespace {

/// Compares rank and sizes with those of a row that was checked before. Sizes behind the rank are left over and mean
/// nothing.
bool SameShape(const double* row, const RawRow& checked) {
  return row[2] == checked[2] &&
         std::equal(row + 3, row + 3 + static_cast<std::size_t>(checked[2]), checked.begin() + 3);
}

bool SameRow(const RawRow& row, const RawRow& checked) {
  return row[0] == checked[0] && row[1] == checked[1] && SameShape(row.data(), checked);
}

}  // namespace

Status InferRequest::Create(std::shared_ptr<const CompiledModel> model, const ov::CompiledModel& compiled,
                            bool copies_small, std::shared_ptr<InferRequest>& request) {
  return Guard(StatusCode::kInternal,
               [&] { request = std::make_shared<InferRequest>(std::move(model), compiled, copies_small); });
}

// OpenVINO's infer request is made by a call that is not const, on an object that is a counted reference.
InferRequest::InferRequest(std::shared_ptr<const CompiledModel> model, ov::CompiledModel compiled, bool copies_small)
    : model_(std::move(model)), copies_small_(copies_small) {
  for (const auto& input : std::as_const(compiled).inputs()) ports_.emplace_back(input);
  for (const auto& output : std::as_const(compiled).outputs()) {
    Port port(output);
    port.is_twin = std::any_of(ports_.begin(), ports_.end(),
                               [&port](const Port& earlier) { return port.is_same_tensor(earlier); });
    ports_.push_back(std::move(port));
  }
  const FloatMode kept;
  request_ = compiled.create_infer_request();
  request_.set_callback([this](const std::exception_ptr& exception) { Finish(exception); });
}

InferRequest::~InferRequest() { Wait(); }

InferRequest::Port::Port(const ov::Output<const ov::Node>& port) : output(port) {
  if (const auto& shape = port.get_partial_shape(); shape.is_static()) static_shape = shape.to_shape();
}

ov::Tensor InferRequest::Port::smallest_tensor() const {
  const auto& shape = output.get_partial_shape();
  return {output.get_element_type(), shape.rank().is_static() ? shape.get_min_shape() : ov::Shape{0}};
}

std::string InferRequest::PortName(std::size_t port) const {
  return port < input_count() ? "input " + std::to_string(port) : "output " + std::to_string(port - input_count());
}

Status InferRequest::Bind(const double* table, const SlabTable& slabs) {
  for (std::size_t port = 0; port < ports_.size(); ++port) {
    RawRow row;
    std::memcpy(row.data(), table + port * kBindingStride, sizeof(row));
    if (Status status = BindPort(port, row, slabs); !status.ok()) return std::move(status).At(PortName(port));
  }
  return Status::Ok();
}

Status InferRequest::BindPort(std::size_t port, const RawRow& row, const SlabTable& slabs) {
  Port& state = ports_[port];
  const bool is_input = port < input_count();
  if (row[0] == kUnbound) return Unbind(state, is_input);
  if (state.is_string()) {
    if (is_input) {
      Status status = CheckElements(row);
      return status.ok() ? BindStrings(state, row, slabs) : std::move(status);
    }
    return {StatusCode::kBindingFailed, "strings cannot be written into a slab before their lengths are known"};
  }
  if (state.bound() && !state.stale && SameRow(row, state.row)) {
    const Slab* slab = slabs.Find(static_cast<std::uint64_t>(row[0]));
    if (slab != nullptr && slab->generation == state.slab_generation) return Status::Ok();
  }
  if (is_input) {
    if (Status status = CheckElements(row); !status.ok()) return status;
    if (copies_small_) return CopyInput(state, row, slabs);
  }
  return BindSlab(state, row, slabs);
}

Status InferRequest::CheckElements(const RawRow& row) const {
  if (!model_->description().needs_elements) return Status::Ok();
  const bool has_rank = row[2] >= 0 && row[2] <= static_cast<double>(kMaxRank);
  const auto* const sizes = row.data() + 3;
  const auto* const end = sizes + (has_rank ? static_cast<std::size_t>(row[2]) : 0);
  if (std::find(sizes, end, 0.0) == end) return Status::Ok();
  return {StatusCode::kBindingFailed, kNoElements};
}

Status InferRequest::CopyInput(Port& port, const RawRow& raw, const SlabTable& slabs) {
  BindingRow row;
  const auto& type = port.output.get_element_type();
  if (Status status = ParseRow(raw, type, row); !status.ok()) return status;
  if (row.bytes == 0 || row.bytes > kSmallInputBytes) return BindSlab(port, raw, slabs);
  std::uint8_t* address = nullptr;
  if (Status status = slabs.Resolve(row.slab, row.offset, row.bytes, address); !status.ok()) return status;
  return Guard(StatusCode::kBindingFailed, [&] {
    if (!port.is_copied || port.tensor.get_shape() != row.shape) {
      ov::Tensor tensor(type, row.shape);
      request_.set_tensor(port.output, tensor);
      port.tensor = std::move(tensor);
      port.slab_generation = 0;
      port.is_copied = true;
    }
    std::memcpy(port.tensor.data(), address, row.bytes);
  });
}

Status InferRequest::BindSlab(Port& port, const RawRow& raw, const SlabTable& slabs) {
  BindingRow row;
  const auto& type = port.output.get_element_type();
  if (Status status = ParseRow(raw, type, row); !status.ok()) return status;
  std::uint8_t* address = nullptr;
  if (Status status = slabs.Resolve(row.slab, row.offset, row.bytes, address); !status.ok()) return status;
  return Guard(StatusCode::kBindingFailed, [&] {
    ov::Tensor tensor(type, row.shape, address);
    if (!port.is_twin) request_.set_tensor(port.output, tensor);
    port.tensor = std::move(tensor);
    port.row = raw;
    port.slab_generation = slabs.Find(row.slab)->generation;
    port.stale = false;
    port.is_copied = false;
  });
}

Status InferRequest::BindStrings(Port& port, const RawRow& raw, const SlabTable& slabs) {
  BindingRow row;
  if (Status status = ParseRow(raw, ov::element::string, row); !status.ok()) return status;
  std::uint8_t* address = nullptr;
  if (Status status = slabs.Resolve(row.slab, row.offset, row.bytes, address); !status.ok()) return status;
  const std::uint64_t size = slabs.Find(row.slab)->size - row.offset;
  Status unpacked = Status::Ok();
  Status bound = Guard(StatusCode::kBindingFailed, [&] {
    ov::Tensor tensor(ov::element::string, row.shape);
    unpacked = UnpackStrings(address, size, tensor);
    if (!unpacked.ok()) return;
    request_.set_tensor(port.output, tensor);
    port.tensor = std::move(tensor);
  });
  return bound.ok() ? std::move(unpacked) : std::move(bound);
}

Status InferRequest::Unbind(Port& port, bool is_input) {
  if (is_input) return {StatusCode::kBindingFailed, "no memory is bound"};
  if (!port.bound()) return Status::Ok();
  return Guard(StatusCode::kBindingFailed, [&] {
    // A tensor that owns its memory grows when it must, so the smallest shape serves for all a dynamic port may get.
    if (!port.is_twin) request_.set_tensor(port.output, port.smallest_tensor());
    port.tensor = {};
    port.slab_generation = 0;
  });
}

void InferRequest::Start(Done done) {
  // The thread that reported the last end may still stand in `done_`, which is replaced here. OpenVINO, too, takes its
  // callback out of the request while it runs and puts it back afterwards.
  Wait();
  done_ = std::move(done);
  running_ = true;
  started_at_ = std::chrono::steady_clock::now();
  if (model_->threads() != nullptr) return StartOn(*model_->threads());
  Status status = Guard(StatusCode::kInferenceFailed, [&] {
    request_.start_async();
    unsettled_ = true;
  });
  if (!status.ok()) done_(std::move(status), 0);
}

void InferRequest::StartOn(ThreadPool& threads) {
  was_posted_ = true;
  is_posted_ = true;
  std::uint64_t ticket = 0;
  Status posted = threads.Post(
      [this] {
        Status status = InferHere();
        done_(std::move(status), MicrosSince(started_at_));
        const std::scoped_lock lock(mutex_);
        is_posted_ = false;
        // Under the lock: this object may end as soon as it is released.
        left_.notify_all();
      },
      ticket);
  if (posted.ok()) return;
  was_posted_ = false;
  is_posted_ = false;
  done_(std::move(posted), 0);
}

void InferRequest::WaitForThread() {
  was_posted_ = false;
  std::unique_lock lock(mutex_);
  left_.wait(lock, [this] { return !is_posted_; });
}

void InferRequest::Finish(const std::exception_ptr& exception) {
  const std::int32_t micros = MicrosSince(started_at_);
  done_(exception == nullptr ? Status::Ok() : StatusFromException(exception, StatusCode::kInferenceFailed), micros);
}

Status InferRequest::Infer() {
  Wait();
  // With one stream of one thread the CPU plug-in infers on the calling thread (OpenVINO pull request 29777) and, since
  // a queue of that thread swallows exceptions, a failure comes out as success; worse, the failed task stays queued and
  // runs again with the next inference, when this request may be gone (seen in 2026.4.1: wrong results, then a crash).
  // So a request goes that way only where no value makes the model fail (`core/data_faults.h`), and after a first
  // inference, which meets every other failure, has succeeded. All others take the hop to a stream's thread, which
  // reports failures.
  if (!model_->may_fail_inside() && model_->has_succeeded()) return InferHere();
  const FloatMode kept;
  done_ = [](const Status&, std::int32_t) {};
  Status status = Guard(StatusCode::kInferenceFailed, [&] {
    request_.start_async();
    request_.wait();
  });
  if (status.ok()) model_->MarkSucceeded();
  return status;
}

Status InferRequest::InferHere() {
  const FloatMode mode;
  if (model_->flushes_denormals()) mode.FlushDenormals();
  return Guard(StatusCode::kInferenceFailed, [&] { request_.infer(); });
}

bool InferRequest::HasTwin(std::size_t input) const {
  return std::any_of(ports_.begin() + static_cast<std::ptrdiff_t>(input_count()), ports_.end(),
                     [&](const Port& output) { return output.is_same_tensor(ports_[input]); });
}

void InferRequest::MarkDone() {
  running_ = false;
  for (std::size_t index = 0; index < input_count(); ++index) {
    Port& port = ports_[index];
    // A twin of the input is still to be copied out; then the strings stay until others take their place.
    if (!port.is_string() || !port.tensor || HasTwin(index)) continue;
    port.tensor = {};
    // When this fails they stay as long.
    static_cast<void>(
        Guard(StatusCode::kBindingFailed, [&] { request_.set_tensor(port.output, port.smallest_tensor()); }).ok());
  }
}

void InferRequest::Cancel() {
  if (running_) request_.cancel();
}

void InferRequest::Wait() {
  if (was_posted_) WaitForThread();
  if (!unsettled_) return;
  unsettled_ = false;
  // A fault of the inference is thrown here again; it was reported by `Finish`.
  static_cast<void>(Guard(StatusCode::kInferenceFailed, [&] { request_.wait(); }).ok());
}

Status InferRequest::WriteOutputShapes(double* table) {
  for (std::size_t index = input_count(); index < ports_.size(); ++index) {
    Status status = WriteOutputShape(ports_[index], table + index * kBindingStride);
    if (!status.ok()) return std::move(status).At(PortName(index));
  }
  return Status::Ok();
}

Status InferRequest::WritePackedSize(const Port& port, double* row) {
  std::uint64_t size = 0;
  Status measured = Status::Ok();
  Status read =
      Guard(StatusCode::kOutputFailed, [&] { measured = PackedSize(request_.get_tensor(port.output), size); });
  row[1] = static_cast<double>(size);
  return read.ok() ? std::move(measured) : std::move(read);
}

Status InferRequest::FillTwin(Port& port) {
  return Guard(StatusCode::kOutputFailed, [&] { CopyTensor(request_.get_tensor(port.output), port.tensor); });
}

Status InferRequest::WriteOutputShape(Port& port, double* row) {
  if (port.is_twin && port.bound()) {
    if (Status status = FillTwin(port); !status.ok()) return status;
  }
  if (port.is_string()) {
    if (Status status = WritePackedSize(port, row); !status.ok()) return status;
  }
  if (port.static_shape) return port.bound() ? Status::Ok() : WriteShape(*port.static_shape, row);
  ov::Shape shape;
  Status status = Guard(StatusCode::kOutputFailed, [&] {
    shape = port.bound() ? port.tensor.get_shape() : request_.get_tensor(port.output).get_shape();
  });
  if (!status.ok()) return status;
  if (status = WriteShape(shape, row); !status.ok()) return status;
  // OpenVINO made the bound tensor smaller: it must be set again, at full size, before the next inference.
  if (port.bound() && !SameShape(row, port.row)) port.stale = true;
  return Status::Ok();
}

Status InferRequest::CopyOutput(std::size_t output, const SlabTable& slabs, std::uint64_t slab, std::uint64_t offset) {
  const Port& port = ports_[input_count() + output];
  if (port.bound()) return {StatusCode::kOutputFailed, PortName(input_count() + output) + " is bound to a slab"};
  Status resolved = Status::Ok();
  Status copied = Guard(StatusCode::kOutputFailed, [&] {
    const ov::Tensor tensor = request_.get_tensor(port.output);
    std::uint8_t* target = nullptr;
    std::uint64_t size = tensor.get_byte_size();
    if (port.is_string()) resolved = PackedSize(tensor, size);
    if (resolved.ok()) resolved = slabs.Resolve(slab, offset, size, target);
    if (!resolved.ok()) return;
    if (port.is_string()) {
      PackStrings(tensor, target);
    } else if (size != 0) {
      std::memcpy(target, tensor.data(), size);
    }
  });
  if (!resolved.ok()) return {StatusCode::kOutputFailed, resolved.text()};
  return copied;
}

bool InferRequest::Uses(const Slab& slab) const {
  return std::any_of(ports_.begin(), ports_.end(),
                     [&](const Port& port) { return port.slab_generation == slab.generation; });
}

Status InferRequest::TensorAddress(std::size_t port, std::uint64_t& address) {
  return Guard(StatusCode::kOutputFailed, [&] {
    const ov::Tensor tensor = request_.get_tensor(ports_[port].output);
    address = reinterpret_cast<std::uintptr_t>(tensor.data());
  });
}

}  // namespace vinery

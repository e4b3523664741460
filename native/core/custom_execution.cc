#include "core/custom_execution.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>

#include "core/elapsed.h"

namespace vinery {

static_assert(std::is_same_v<ov::Shape::value_type, std::uint64_t>, "sizes are handed to libraries as they are");

CustomExecution::CustomExecution(std::shared_ptr<const CustomNode> node, std::shared_ptr<ThreadPool> threads)
    : node_(std::move(node)), threads_(std::move(threads)) {}

CustomExecution::~CustomExecution() {
  if (outputs_.empty()) return;
  struct Leftover {
    std::shared_ptr<const CustomNode> node;
    std::vector<CustomNodeOutput> outputs;
  };
  std::uint64_t ticket = 0;
  auto leftover = std::make_shared<Leftover>(Leftover{std::move(node_), std::move(outputs_)});
  static_cast<void>(threads_->Post([leftover = std::move(leftover)] {}, ticket).ok());
}

Status CustomExecution::Bind(const double* table, const SlabTable& slabs) {
  const auto& ports = node_->description().inputs;
  for (std::size_t index = 0; index < ports.size(); ++index) {
    RawRow raw;
    std::memcpy(raw.data(), table + index * kBindingStride, sizeof(raw));
    if (Status status = BindInput(raw, ports[index], slabs); !status.ok()) {
      return std::move(status).At("input " + ports[index].name);
    }
  }
  return Status::Ok();
}

Status CustomExecution::BindInput(const RawRow& raw, const CustomNodePort& port, const SlabTable& slabs) {
  Input& input = inputs_.emplace_back();
  if (Status status = ParseRow(raw, ElementType(port.precision), input.row); !status.ok()) return status;
  if (Status status = slabs.Resolve(input.row.slab, input.row.offset, input.row.bytes, input.data); !status.ok()) {
    return status;
  }
  input.slab_generation = slabs.Find(input.row.slab)->generation;
  return Status::Ok();
}

void CustomExecution::Start(Done done, Again /*again*/) {
  done_ = std::move(done);
  running_ = true;
  settled_ = false;
  Status posted = threads_->Post([self = shared_from_this()] { self->Run(); }, ticket_);
  if (!posted.ok()) End(std::move(posted), 0);
}

bool CustomExecution::Withdraw() {
  if (!threads_->Withdraw(ticket_)) return false;
  inputs_.clear();
  End({StatusCode::kCancelled, "the execution was withdrawn before it began"}, 0);
  return true;
}

void CustomExecution::Run() {
  std::int32_t micros = 0;
  Status status = Status::Ok();
  // Beside the library, memory for names and sizes can fail.
  Status guarded = Guard(StatusCode::kCustomNodeFailed, [&] {
    std::vector<CustomNodeTensor> tensors;
    const auto& ports = node_->description().inputs;
    for (std::size_t index = 0; index < ports.size(); ++index) {
      auto& [row, data, generation] = inputs_[index];
      tensors.push_back(
          {ports[index].name.c_str(), data, row.bytes, row.shape.data(), row.shape.size(), ports[index].precision});
    }
    const auto started_at = std::chrono::steady_clock::now();
    status = node_->Execute(tensors, outputs_);
    micros = MicrosSince(started_at);
  });
  End(guarded.ok() ? std::move(status) : std::move(guarded), micros);
}

void CustomExecution::End(Status status, std::int32_t micros) {
  done_(std::move(status), micros);
  const std::scoped_lock lock(mutex_);
  settled_ = true;
  settled_change_.notify_all();
}

Status CustomExecution::Land(Status end) {
  running_ = false;
  inputs_.clear();
  return end;
}

void CustomExecution::Wait() {
  std::unique_lock lock(mutex_);
  settled_change_.wait(lock, [this] { return settled_; });
}

bool CustomExecution::Uses(const Slab& slab) const {
  return std::any_of(inputs_.begin(), inputs_.end(),
                     [&](const Input& input) { return input.slab_generation == slab.generation; });
}

Status CustomExecution::CopyOutput(std::size_t output, const SlabTable& slabs, std::uint64_t slab,
                                   std::uint64_t offset) const {
  const CustomNodeOutput& source = outputs_[output];
  std::uint8_t* target = nullptr;
  if (const Status status = slabs.Resolve(slab, offset, source.bytes, target); !status.ok()) {
    return {StatusCode::kOutputFailed, "output " + source.port.name + ": " + status.text()};
  }
  if (source.bytes != 0) std::memcpy(target, source.data.get(), source.bytes);
  return Status::Ok();
}

}  // namespace vinery

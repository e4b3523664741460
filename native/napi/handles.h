#pragma once

#include <memory>
#include <string>
#include <utility>

#include "core/compiled_model.h"
#include "core/custom_execution.h"
#include "core/custom_node.h"
#include "core/flight.h"
#include "core/infer_request.h"
#include "core/sequence_table.h"
#include "core/shaped_request.h"
#include "napi/conversions.h"
#include "napi/napi_setup.h"

namespace vinery {

/// An infer request with the table that JavaScript writes its bindings into. JavaScript thread only.
class BoundRequest : public Flight {
 public:
  BoundRequest(std::shared_ptr<InferRequest> request, const Napi::Float64Array& table)
      : request_(std::move(request)), port_count_(request_->port_count()), table_(Napi::Persistent(table)) {}
  /// Of a model with open dimensions.
  BoundRequest(std::unique_ptr<ShapedRequest> shaped, std::size_t port_count, const Napi::Float64Array& table);

  /// Null when nothing was inferred yet with a model that is being compiled.
  InferRequest* request() const { return request_.get(); }
  bool running() const { return running_; }
  /// Sets the tensors that the table names now.
  Status Bind(const SlabTable& slabs);
  /// As `Bind`, and the next start happens in the turn of a sequence: with its state, which it leaves behind for it.
  Status BindIn(std::shared_ptr<SequenceTurn> turn, const SlabTable& slabs);
  /// Binds, infers and waits here.
  Status Infer(const SlabTable& slabs);

  void Start(Done done, Again again) override;
  Status Resume() override;
  Status Land(Status end) override;
  void Cancel() override;
  void Wait() override;
  bool Uses(const Slab& slab) const override { return request_ != nullptr && request_->Uses(slab); }

 private:
  double* TableData() const;
  Status BindChosen();
  Status InferChosen();
  Status WriteShapes();

  /// That of the shapes in the table, where these are open.
  std::shared_ptr<InferRequest> request_;
  /// Null unless the model has open dimensions.
  std::unique_ptr<ShapedRequest> shaped_;
  std::size_t port_count_;
  Napi::Reference<Napi::Float64Array> table_;
  /// Of the environment, once something was bound.
  const SlabTable* slabs_ = nullptr;
  bool running_ = false;
  /// The shapes are to be found out first.
  bool is_unknown_ = false;
  /// Until the end has been seen.
  std::shared_ptr<SequenceTurn> turn_;
};

/// What stands behind a handle of each kind, with the tag that tells it from the handles of other kinds.
template <typename Held>
struct HandleKind;

template <>
struct HandleKind<const CompiledModel> {
  static constexpr const char* kName = "model";
  static constexpr const char* kNoun = "a compiled model handle";
  static constexpr napi_type_tag kTag = {0x6d1b6a52c7f94e01, 0x9f3c54e0a7d2b816};
};

template <>
struct HandleKind<BoundRequest> {
  static constexpr const char* kName = "request";
  static constexpr const char* kNoun = "an infer request handle";
  static constexpr napi_type_tag kTag = {0x1f84c2d95a3e4b77, 0xb05d91e6428ac3f3};
};

template <>
struct HandleKind<const CustomNode> {
  static constexpr const char* kName = "node";
  static constexpr const char* kNoun = "a custom node handle";
  static constexpr napi_type_tag kTag = {0x4c0e97d1b83a4f65, 0xa6d2195f7be04c38};
};

template <>
struct HandleKind<CustomExecution> {
  static constexpr const char* kName = "execution";
  static constexpr const char* kNoun = "a handle of the execution of a custom node";
  static constexpr napi_type_tag kTag = {0x83f5b6ac20d94e17, 0xc91e47a05d3b8f62};
};

template <>
struct HandleKind<SequenceTurn> {
  static constexpr const char* kName = "turn";
  static constexpr const char* kNoun = "a handle of a turn in a sequence";
  static constexpr napi_type_tag kTag = {0x2b7d60f1c94e4a83, 0x9d15e8b3706fca24};
};

/// A handle shares what it stands for, so closing it or losing it to the garbage collector never takes it from
/// what runs. A closed handle is empty.
template <typename Held>
Napi::Value NewHandle(Napi::Env env, std::shared_ptr<Held> held) {
  auto box = std::make_unique<std::shared_ptr<Held>>(std::move(held));
  auto external = Napi::External<std::shared_ptr<Held>>::New(
      env, box.get(), [](Napi::Env, std::shared_ptr<Held>* data) { std::unique_ptr<std::shared_ptr<Held>>{data}; });
  // From here on the finalizer owns the box.
  static_cast<void>(box.release());
  external.TypeTag(&HandleKind<Held>::kTag);
  return external;
}

/// The inside of a handle, to be emptied when it is closed. A handle of another kind or a closed one throws a
/// `TypeError`.
template <typename Held>
std::shared_ptr<Held>& OpenHandle(const Napi::Value& value) {
  using Kind = HandleKind<Held>;
  if (!value.IsExternal()) ThrowTypeError(value.Env(), std::string(Kind::kName) + ": expected " + Kind::kNoun);
  const auto external = value.As<Napi::External<std::shared_ptr<Held>>>();
  if (!external.CheckTypeTag(&Kind::kTag)) {
    ThrowTypeError(value.Env(),
                   std::string(Kind::kName) + ": expected " + Kind::kNoun + ", received a handle of another kind");
  }
  std::shared_ptr<Held>& held = *external.Data();
  if (held == nullptr) ThrowTypeError(value.Env(), std::string(Kind::kName) + ": the handle is closed");
  return held;
}

}  // namespace vinery

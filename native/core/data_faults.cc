#include "core/data_faults.h"

#include <algorithm>
#include <array>
#include <openvino/op/util/multi_subgraph_base.hpp>
#include <string_view>
#include <unordered_set>

namespace vinery {
namespace {

template <std::size_t count>
bool Has(const std::array<std::string_view, count>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// The sources of the three lists are the CPU plug-in's nodes (`src/plugins/intel_cpu/src/nodes`) and OpenVINO's
// reference implementations (`src/core/reference`): once shapes are known, what runs for these operations checks no
// value. Left out are operations that look up a place which the data names (GatherElements, the Scatter family,
// EmbeddingBag, ROIAlign, ReverseSequence, CTCLoss and the like), states, random numbers, and all that have not been
// examined.

/// Ports; element by element (`eltwise.cpp`, `fake_quantize.cpp`, `convert.cpp`); over windows, rows and channels
/// (`conv.cpp`, `pooling.cpp`, `matmul.cpp`, `softmax.cpp`); moved by attributes (`concat.cpp`, `depth_to_space.cpp`).
constexpr std::array<std::string_view, 74> kHarmless = {"Abs",
                                                        "Acos",
                                                        "Acosh",
                                                        "Add",
                                                        "Asin",
                                                        "Asinh",
                                                        "Atan",
                                                        "Atanh",
                                                        "AvgPool",
                                                        "BatchNormInference",
                                                        "Ceiling",
                                                        "Clamp",
                                                        "Concat",
                                                        "Convert",
                                                        "ConvertLike",
                                                        "Convolution",
                                                        "Cos",
                                                        "Cosh",
                                                        "DepthToSpace",
                                                        "Elu",
                                                        "Equal",
                                                        "Erf",
                                                        "Exp",
                                                        "FakeQuantize",
                                                        "Floor",
                                                        "Gelu",
                                                        "Greater",
                                                        "GreaterEqual",
                                                        "GroupConvolution",
                                                        "GroupNormalization",
                                                        "HSigmoid",
                                                        "HSwish",
                                                        "HardSigmoid",
                                                        "IsFinite",
                                                        "IsInf",
                                                        "IsNaN",
                                                        "Less",
                                                        "LessEqual",
                                                        "Log",
                                                        "LogSoftmax",
                                                        "LogicalAnd",
                                                        "LogicalNot",
                                                        "LogicalOr",
                                                        "LogicalXor",
                                                        "MatMul",
                                                        "MaxPool",
                                                        "Maximum",
                                                        "Minimum",
                                                        "Mish",
                                                        "Multiply",
                                                        "Negative",
                                                        "NotEqual",
                                                        "PRelu",
                                                        "Parameter",
                                                        "Relu",
                                                        "Result",
                                                        "Round",
                                                        "Select",
                                                        "Selu",
                                                        "ShuffleChannels",
                                                        "Sigmoid",
                                                        "Sign",
                                                        "Sin",
                                                        "Sinh",
                                                        "SoftPlus",
                                                        "SoftSign",
                                                        "Softmax",
                                                        "SpaceToDepth",
                                                        "Sqrt",
                                                        "SquaredDifference",
                                                        "Subtract",
                                                        "Swish",
                                                        "Tan",
                                                        "Tanh"};

/// With integers they divide by zero where the data says so: OpenVINO throws then (`openvino/reference/divide.hpp`), or
/// the processor refuses.
constexpr std::array<std::string_view, 4> kHarmlessOverFloats = {"Divide", "FloorMod", "Mod", "Power"};

/// The inputs after the first say which axes, sizes, places or how many: these must be constants (`reduce.cpp`,
/// `reshape.cpp`, `transpose.cpp`, `gather.cpp`, `pad.cpp`, `topk.cpp`).
constexpr std::array<std::string_view, 29> kHarmlessByConstants = {"Broadcast",
                                                                   "ConvolutionBackpropData",
                                                                   "CumSum",
                                                                   "Gather",
                                                                   "GroupConvolutionBackpropData",
                                                                   "Interpolate",
                                                                   "LRN",
                                                                   "MVN",
                                                                   "NormalizeL2",
                                                                   "Pad",
                                                                   "ReduceL1",
                                                                   "ReduceL2",
                                                                   "ReduceLogicalAnd",
                                                                   "ReduceLogicalOr",
                                                                   "ReduceMax",
                                                                   "ReduceMean",
                                                                   "ReduceMin",
                                                                   "ReduceProd",
                                                                   "ReduceSum",
                                                                   "Reshape",
                                                                   "Slice",
                                                                   "Split",
                                                                   "Squeeze",
                                                                   "StridedSlice",
                                                                   "Tile",
                                                                   "TopK",
                                                                   "Transpose",
                                                                   "Unsqueeze",
                                                                   "VariadicSplit"};

/// Loops and branches hide operations in their bodies; an extension's operations may do anything.
bool IsOpenvinos(const ov::Node& operation) {
  const char* version = operation.get_type_info().version_id;
  return version != nullptr && std::string_view(version).substr(0, 5) == "opset" &&
         dynamic_cast<const ov::op::util::MultiSubGraphOp*>(&operation) == nullptr;
}

bool IsPlain(const ov::element::Type& type) { return type != ov::element::string && !type.is_dynamic(); }

bool HasPlainPorts(const ov::Node& operation) {
  const auto outputs = operation.outputs();
  return std::all_of(outputs.begin(), outputs.end(), [](const auto& output) {
    return IsPlain(output.get_element_type()) && output.get_partial_shape().is_static();
  });
}

/// Looks at a model's operations in their order and remembers whose values no request changes.
class Values {
 public:
  bool IsHarmless(const ov::Node& operation) {
    if (!IsOpenvinos(operation) || !HasPlainPorts(operation)) return false;
    if (IsFixed(operation)) {
      fixed_.insert(&operation);
      return true;
    }
    const std::string_view name = operation.get_type_info().name;
    if (Has(kHarmless, name)) return true;
    if (Has(kHarmlessOverFloats, name)) return operation.get_output_element_type(0).is_real();
    return Has(kHarmlessByConstants, name) && AreFixed(operation, 1);
  }

 private:
  /// An operation without inputs may be a state. A shape is fixed, because every shape is known.
  bool IsFixed(const ov::Node& operation) const {
    const std::string_view name = operation.get_type_info().name;
    if (name == "Constant" || name == "ShapeOf") return true;
    const bool is_random = name == "RandomUniform" || name == "Multinomial";
    return operation.get_input_size() > 0 && !is_random && AreFixed(operation, 0);
  }

  bool AreFixed(const ov::Node& operation, std::size_t first) const {
    const auto inputs = operation.input_values();
    return inputs.size() >= first &&
           std::all_of(inputs.begin() + static_cast<std::ptrdiff_t>(first), inputs.end(),
                       [this](const auto& input) { return fixed_.count(input.get_node()) != 0; });
  }

  std::unordered_set<const ov::Node*> fixed_;
};

}  // namespace

bool MayFailByData(const ov::Model& model) {
  Values values;
  const auto operations = model.get_ordered_ops();
  return !std::all_of(operations.begin(), operations.end(),
                      [&values](const auto& operation) { return values.IsHarmless(*operation); });
}

}  // namespace vinery

#include "core/custom_node.h"

#include <algorithm>
#include <limits>

namespace vinery {
namespace {

/// Every integer up to here has a `double` of its own (2^53): sizes cross to JavaScript.
constexpr std::uint64_t kLargestSize = 9007199254740992;
/// Libraries that know OpenVINO's -1 mean the same as 0 by it (as OVMS 2026.2.1 reads it).
constexpr std::uint64_t kMinusOne = std::numeric_limits<std::uint64_t>::max();

/// The codes of one kind of array: descriptions have one for all faults, outputs have one for each.
struct PortCodes {
  StatusCode name;
  StatusCode precision;
  StatusCode shape;
};
constexpr PortCodes kInfoCodes = {StatusCode::kMetadataFailed, StatusCode::kMetadataFailed,
                                  StatusCode::kMetadataFailed};
constexpr PortCodes kOutputCodes = {StatusCode::kCustomOutputNameMissing, StatusCode::kCustomOutputPrecision,
                                    StatusCode::kCustomOutputShape};

std::string Place(const char* array, int index) { return std::string(array) + "[" + std::to_string(index) + "]"; }

Status CheckSizes(const std::vector<std::uint64_t>& dimensions, StatusCode code) {
  const auto wrong = std::find_if(dimensions.begin(), dimensions.end(), [](auto size) { return size > kLargestSize; });
  if (wrong == dimensions.end()) return Status::Ok();
  return {code, "dimension " + std::to_string(wrong - dimensions.begin()) + ": expected at most 2^53, received " +
                    std::to_string(*wrong)};
}

/// Copies what a library says of a tensor; `Source` is a `CustomNodeTensorInfo` or a `CustomNodeTensor`.
template <typename Source>
Status ReadPort(const Source& source, const PortCodes& codes, CustomNodePort& port) {
  if (source.name == nullptr) return {codes.name, "name: expected a text, received null"};
  port.name = source.name;
  if (!IsCustomNodePrecision(source.precision)) {
    return {codes.precision, port.name + ": precision: expected 1 to " +
                                 std::to_string(kCustomNodePrecisions.size() - 1) + ", received " +
                                 std::to_string(source.precision)};
  }
  port.precision = source.precision;
  if (source.dims == nullptr) return {codes.shape, port.name + ": dims: expected an array, received null"};
  if (source.dims_count == 0) return {codes.shape, port.name + ": dimsCount: expected 1 at least, received 0"};
  port.dimensions.assign(source.dims, source.dims + source.dims_count);
  return Status::Ok();
}

Status ReadInfo(const CustomNodeTensorInfo& info, CustomNodePort& port) {
  if (Status read = ReadPort(info, kInfoCodes, port); !read.ok()) return read;
  std::replace(port.dimensions.begin(), port.dimensions.end(), kMinusOne, std::uint64_t{0});
  return CheckSizes(port.dimensions, StatusCode::kMetadataFailed);
}

Status CheckContentSize(const CustomNodeTensor& tensor, const CustomNodeOutput& output) {
  std::uint64_t expected = ElementType(output.port.precision).size();
  bool overflow = false;
  const auto& sizes = output.port.dimensions;
  // An empty tensor is empty however large its other sizes are.
  if (std::find(sizes.begin(), sizes.end(), 0) != sizes.end()) expected = 0;
  for (const std::uint64_t size : sizes) overflow = overflow || __builtin_mul_overflow(expected, size, &expected);
  const std::string received = ", received " + std::to_string(tensor.data_bytes);
  if (overflow) return {StatusCode::kCustomOutputContentSize, output.port.name + ": larger than any memory" + received};
  if (tensor.data_bytes != expected) {
    return {StatusCode::kCustomOutputContentSize,
            output.port.name + ": dataBytes: expected " + std::to_string(expected) + received};
  }
  if (tensor.data == nullptr && expected != 0) {
    return {StatusCode::kCustomOutputContentSize, output.port.name + ": data: expected an array, received null"};
  }
  return Status::Ok();
}

Status ReadOutput(const CustomNodeTensor& tensor, CustomNodeOutput& output) {
  if (Status read = ReadPort(tensor, kOutputCodes, output.port); !read.ok()) return read;
  if (Status checked = CheckSizes(output.port.dimensions, StatusCode::kCustomOutputShape); !checked.ok()) {
    return checked;
  }
  output.bytes = tensor.data_bytes;
  return CheckContentSize(tensor, output);
}

}  // namespace

void ReleaseThroughLibrary::operator()(void* memory) const { node->Release(memory); }

Status CustomNode::Initialize(const CustomNodeSpecification& specification, const std::shared_ptr<ThreadPool>& threads,
                              std::shared_ptr<const CustomNode>& node) {
  std::unique_ptr<const CustomNodeLibrary> library;
  if (Status opened = CustomNodeLibrary::Open(specification.library_path, library); !opened.ok()) return opened;
  auto started = std::make_unique<CustomNode>(std::move(library), specification);
  if (Status status = started->Start(); !status.ok()) return status;
  node = std::shared_ptr<const CustomNode>(started.release(), [threads](const CustomNode* last) {
    std::uint64_t ticket = 0;
    // Without any thread to be had the task is dropped, and so the node deinitialized, right here.
    static_cast<void>(threads->Post([owned = std::shared_ptr<const CustomNode>(last)] {}, ticket).ok());
  });
  return Status::Ok();
}

CustomNode::CustomNode(std::unique_ptr<const CustomNodeLibrary> library, const CustomNodeSpecification& specification)
    : library_(std::move(library)), texts_(specification.params) {
  for (const auto& [key, value] : texts_) params_.push_back({key.c_str(), value.c_str()});
}

CustomNode::~CustomNode() {
  if (!initialized_) return;
  // Nobody is left to be told of a failure, and the library is unloaded either way.
  static_cast<void>(
      CallLibrary(StatusCode::kInternal, "deinitialize", library_->functions().deinitialize, manager_).ok());
}

Status CustomNode::Start() {
  const CustomNodeFunctions& functions = library_->functions();
  Status status = CallLibrary(StatusCode::kInitializeFailed, "initialize", functions.initialize, &manager_, params(),
                              params_count());
  if (!status.ok()) return status;
  initialized_ = true;
  status = Describe("getInputsInfo", functions.get_inputs_info, description_.inputs);
  if (!status.ok()) return status;
  return Describe("getOutputsInfo", functions.get_outputs_info, description_.outputs);
}

Status CustomNode::Describe(const char* name, CustomNodeFunctions::InfoFunction* function,
                            std::vector<CustomNodePort>& ports) const {
  CustomNodeTensorInfo* infos = nullptr;
  int count = 0;
  Status status =
      CallLibrary(StatusCode::kMetadataFailed, name, function, &infos, &count, params(), params_count(), manager_);
  if (!status.ok()) return status;
  if (infos == nullptr) return {StatusCode::kMetadataFailed, std::string(name) + " returned no array"};
  const LibraryMemory<CustomNodeTensorInfo> array(infos, {this});
  if (count <= 0)
    return {StatusCode::kMetadataFailed, std::string(name) + " returned a count of " + std::to_string(count)};
  for (int index = 0; index < count; ++index) {
    // Whatever is wrong with one, the memory of all goes back.
    const LibraryMemory<std::uint64_t> dims(infos[index].dims, {this});
    Status read = ReadInfo(infos[index], ports.emplace_back());
    if (status.ok() && !read.ok()) status = std::move(read).At(Place(name, index));
  }
  return status;
}

Status CustomNode::Execute(const std::vector<CustomNodeTensor>& inputs, std::vector<CustomNodeOutput>& outputs) const {
  CustomNodeTensor* tensors = nullptr;
  int count = 0;
  Status status = CallLibrary(StatusCode::kCustomNodeFailed, "execute", library_->functions().execute, inputs.data(),
                              static_cast<int>(inputs.size()), &tensors, &count, params(), params_count(), manager_);
  // A library that fails frees its own memory.
  if (!status.ok()) return status;
  if (tensors == nullptr) return {StatusCode::kCustomOutputsCorrupted, "execute returned no array of outputs"};
  const LibraryMemory<CustomNodeTensor> array(tensors, {this});
  if (count <= 0) {
    return {StatusCode::kCustomOutputCountCorrupted, "execute returned a count of " + std::to_string(count)};
  }
  for (int index = 0; index < count; ++index) {
    const LibraryMemory<std::uint64_t> dims(tensors[index].dims, {this});
    CustomNodeOutput& output = outputs.emplace_back();
    output.data = LibraryMemory<std::uint8_t>(tensors[index].data, {this});
    Status read = ReadOutput(tensors[index], output);
    if (status.ok() && !read.ok()) status = std::move(read).At(Place("output", index));
  }
  if (!status.ok()) outputs.clear();
  return status;
}

void CustomNode::Release(void* memory) const {
  static_cast<void>(
      CallLibrary(StatusCode::kInternal, "release", library_->functions().release, memory, manager_).ok());
}

}  // namespace vinery

#include "core/trial.h"

#include <algorithm>
#include <cstring>
#include <openvino/core/type/bfloat16.hpp>
#include <openvino/core/type/float16.hpp>
#include <openvino/runtime/infer_request.hpp>

#include "core/openvino_fault.h"

namespace vinery {
namespace {

/// Equal on every machine: SplitMix64 by the place of a number, not by the one before it.
std::uint64_t Random(std::uint64_t stream, std::uint64_t index) {
  std::uint64_t value = (stream << 48U) + (index + 1) * 0x9E3779B97F4A7C15U;
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31U);
}

/// Numbers of one input.
class Numbers {
 public:
  Numbers(std::uint32_t seed, std::size_t input) : is_odd_(seed % 2 == 1), stream_(seed * 64U + input) {}

  std::uint64_t integer(std::size_t index) const { return Random(stream_, index); }

  /// Of 24 bits, so that every float has it.
  float real(std::size_t index) const {
    const float share = static_cast<float>(integer(index) >> 40U) / static_cast<float>(1U << 24U);
    return is_odd_ ? share * 255.0F : share * 2.0F - 1.0F;
  }

 private:
  bool is_odd_;
  std::uint64_t stream_;
};

template <typename Element, typename Make>
void Fill(ov::Tensor& tensor, Make make) {
  auto* const elements = tensor.data<Element>();
  for (std::size_t index = 0; index < tensor.get_size(); ++index) elements[index] = static_cast<Element>(make(index));
}

template <typename Element>
void FillReal(ov::Tensor& tensor, const Numbers& numbers) {
  Fill<Element>(tensor, [&numbers](std::size_t index) { return numbers.real(index); });
}

/// @param values how many there are from 0 on; a power of two.
template <typename Element>
void FillIntegers(ov::Tensor& tensor, const Numbers& numbers, std::uint64_t values) {
  Fill<Element>(tensor, [&](std::size_t index) { return numbers.integer(index) % values; });
}

void FillTexts(ov::Tensor& tensor, const Numbers& numbers) {
  auto* const texts = tensor.data<std::string>();
  for (std::size_t index = 0; index < tensor.get_size(); ++index) {
    texts[index] = "text " + std::to_string(numbers.integer(index) % 1000);
  }
}

/// @returns whether the element type is one that a trial has numbers for.
bool FillTensor(ov::Tensor& tensor, const Numbers& numbers) {
  constexpr std::uint64_t kByte = 256;
  constexpr std::uint64_t kPlaces = 2;
  switch (tensor.get_element_type()) {
    case ov::element::f64:
      FillReal<double>(tensor, numbers);
      return true;
    case ov::element::f32:
      FillReal<float>(tensor, numbers);
      return true;
    case ov::element::f16:
      FillReal<ov::float16>(tensor, numbers);
      return true;
    case ov::element::bf16:
      FillReal<ov::bfloat16>(tensor, numbers);
      return true;
    case ov::element::u8:
      FillIntegers<std::uint8_t>(tensor, numbers, kByte);
      return true;
    case ov::element::i8:
      FillIntegers<std::int8_t>(tensor, numbers, kByte);
      return true;
    case ov::element::u16:
      FillIntegers<std::uint16_t>(tensor, numbers, kByte);
      return true;
    case ov::element::i16:
      FillIntegers<std::int16_t>(tensor, numbers, kByte);
      return true;
    case ov::element::boolean:
      Fill<bool>(tensor, [&](std::size_t index) { return numbers.integer(index) % kPlaces == 1; });
      return true;
    case ov::element::u32:
      FillIntegers<std::uint32_t>(tensor, numbers, kPlaces);
      return true;
    case ov::element::i32:
      FillIntegers<std::int32_t>(tensor, numbers, kPlaces);
      return true;
    case ov::element::u64:
      FillIntegers<std::uint64_t>(tensor, numbers, kPlaces);
      return true;
    case ov::element::i64:
      FillIntegers<std::int64_t>(tensor, numbers, kPlaces);
      return true;
    case ov::element::string:
      FillTexts(tensor, numbers);
      return true;
    default:
      return false;
  }
}

Status MakeInputs(const ov::CompiledModel& compiled, const TrialQuestion& question, std::vector<ov::Tensor>& inputs) {
  const auto& ports = compiled.inputs();
  if (ports.size() != question.shapes.size()) {
    return {StatusCode::kBindingFailed,
            "expected " + std::to_string(ports.size()) + " shapes, received " + std::to_string(question.shapes.size())};
  }
  for (std::size_t input = 0; input < ports.size(); ++input) {
    inputs.emplace_back(ports[input].get_element_type(), question.shapes[input]);
    if (FillTensor(inputs.back(), {question.seed, input})) continue;
    return {StatusCode::kBindingFailed, "input " + std::to_string(input) +
                                            ": there are no numbers of the element type " +
                                            ports[input].get_element_type().get_type_name()};
  }
  return Status::Ok();
}

void AddBytes(std::vector<std::uint8_t>& bytes, const void* from, std::size_t size) {
  const std::size_t before = bytes.size();
  bytes.resize(before + size);
  if (size > 0) std::memcpy(bytes.data() + before, from, size);
}

TrialTensor Copy(const ov::Tensor& tensor) {
  TrialTensor copy{tensor.get_element_type().get_type_name(), tensor.get_shape(), {}};
  if (tensor.get_size() == 0) return copy;
  if (tensor.get_element_type() != ov::element::string) {
    AddBytes(copy.bytes, tensor.data(), tensor.get_byte_size());
    return copy;
  }
  const auto* const texts = tensor.data<const std::string>();
  for (std::size_t index = 0; index < tensor.get_size(); ++index) {
    const std::uint64_t size = texts[index].size();
    AddBytes(copy.bytes, &size, sizeof(size));
    AddBytes(copy.bytes, texts[index].data(), size);
  }
  return copy;
}

/// Without a fault until it has one: then nothing of the request counts any more.
struct Asked {
  ov::InferRequest request;
  std::string fault;

  template <typename Call>
  void Do(Call call) {
    if (!fault.empty()) return;
    if (Status status = Guard(StatusCode::kInferenceFailed, call); !status.ok()) fault = status.text();
  }
};

Asked Ask(ov::CompiledModel& compiled, const std::vector<ov::Tensor>& inputs) {
  Asked asked;
  asked.Do([&] {
    asked.request = compiled.create_infer_request();
    for (std::size_t input = 0; input < inputs.size(); ++input) asked.request.set_input_tensor(input, inputs[input]);
  });
  return asked;
}

TrialAnswer Collect(Asked& asked, std::size_t outputs) {
  TrialAnswer answer;
  asked.Do([&] {
    asked.request.wait();
    for (std::size_t output = 0; output < outputs; ++output) {
      answer.outputs.push_back(Copy(asked.request.get_output_tensor(output)));
    }
  });
  return asked.fault.empty() ? answer : TrialAnswer{{}, asked.fault};
}

}  // namespace

Status TryModel(const CompiledModel& model, const TrialQuestion& question, std::vector<TrialAnswer>& answers) {
  ov::CompiledModel compiled = model.compiled();
  std::shared_ptr<const ShapeVerdict> verdict;
  if (model.shapes() != nullptr) {
    verdict = model.shapes()->Resolve(question.shapes);
    if (!verdict->refusal.ok()) return verdict->refusal;
    compiled = verdict->variant->compiled;
  }
  std::vector<ov::Tensor> inputs;
  if (Status status = MakeInputs(compiled, question, inputs); !status.ok()) return status;
  std::vector<Asked> all;
  for (std::uint32_t request = 0; request < question.requests; ++request) all.push_back(Ask(compiled, inputs));
  for (Asked& asked : all) asked.Do([&asked] { asked.request.start_async(); });
  for (Asked& asked : all) {
    TrialAnswer answer = Collect(asked, compiled.outputs().size());
    // What failed inside must not spoil the answers to requests.
    if (verdict != nullptr && !answer.fault.empty()) model.shapes()->Fail(verdict->variant, question.shapes);
    if (std::find(answers.begin(), answers.end(), answer) == answers.end()) answers.push_back(std::move(answer));
  }
  return Status::Ok();
}

}  // namespace vinery

#include "core/trial.h"

#include <algorithm>
#include <cstring>
#include <openvino/runtime/infer_request.hpp>

#include "core/openvino_fault.h"
#include "core/seeded_tensor.h"

namespace vinery {
namespace {

Status CheckQuestion(const CompiledModel& model, const TrialQuestion& question) {
  const std::size_t inputs = model.description().inputs.size();
  if (inputs == question.shapes.size()) return Status::Ok();
  return {StatusCode::kBindingFailed,
          "expected " + std::to_string(inputs) + " shapes, received " + std::to_string(question.shapes.size())};
}

Status MakeInputs(const ov::CompiledModel& compiled, const TrialQuestion& question, std::vector<ov::Tensor>& inputs) {
  const auto& ports = compiled.inputs();
  for (std::size_t input = 0; input < ports.size(); ++input) {
    inputs.emplace_back(ports[input].get_element_type(), question.shapes[input]);
    if (FillSeeded(inputs.back(), question.seed, input)) continue;
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
    if (const Status status = Guard(StatusCode::kInferenceFailed, call); !status.ok()) fault = status.text();
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
  if (Status status = CheckQuestion(model, question); !status.ok()) return status;
  ov::CompiledModel compiled = model.compiled();
  std::shared_ptr<const ShapeVerdict> verdict;
  if (model.shapes() != nullptr) {
    verdict = model.shapes()->Resolve(question.shapes);
    if (!verdict->refusal.ok()) {
      answers.push_back({{}, verdict->refusal.text()});
      return Status::Ok();
    }
    compiled = verdict->variant->compiled;
  }
  std::vector<ov::Tensor> inputs;
  if (Status status = MakeInputs(compiled, question, inputs); !status.ok()) return status;
  std::vector<Asked> all;
  all.reserve(question.requests);
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

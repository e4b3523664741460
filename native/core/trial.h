#pragma once

#include <cstdint>
#include <openvino/core/shape.hpp>
#include <string>
#include <vector>

#include "core/compiled_model.h"
#include "core/status.h"

namespace vinery {

/// What to ask a model in a trial.
struct TrialQuestion {
  /// Of each input, in port order.
  std::vector<ov::Shape> shapes;
  /// Which numbers: the same seed gives the same numbers, and a shorter tensor has the first of a longer one.
  std::uint32_t seed = 0;
  /// Infer requests at once, all with the same numbers.
  std::uint32_t requests = 1;
};

/// An output tensor.
struct TrialTensor {
  std::string element_type;
  ov::Shape shape;
  /// As they lie in memory; of strings, each with its length of eight bytes in front.
  std::vector<std::uint8_t> bytes;

  bool operator==(const TrialTensor& other) const {
    return element_type == other.element_type && shape == other.shape && bytes == other.bytes;
  }
};

struct TrialAnswer {
  /// Empty when the inference failed.
  std::vector<TrialTensor> outputs;
  /// Why it failed; empty when it did not.
  std::string fault;

  bool operator==(const TrialAnswer& other) const { return outputs == other.outputs && fault == other.fault; }
};

/// Asks a model and collects its different answers, one where every stream answers alike. New infer requests are made,
/// so a model with a state begins with its first one. Blocks until all requests have ended.
///
/// The numbers are those of `core/seeded_tensor.h`.
///
/// @returns `kBindingFailed` for an input of another element type, or of another number of inputs. Shapes that the
/// model does not take are answered with that fault.
Status TryModel(const CompiledModel& model, const TrialQuestion& question, std::vector<TrialAnswer>& answers);

}  // namespace vinery

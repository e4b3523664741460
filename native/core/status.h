#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace vinery {

/// What can go wrong, one code a phase. The numbers and names cross to JavaScript: `NATIVE_STATUS` of
/// `src/native/binding.ts` has the same names in the same order, and a native test compares both.
enum class StatusCode : std::int32_t {
  kOk,
  kBindingFailed,
  kInferenceFailed,
  kCancelled,
  kOutputFailed,
  kReadFailed,
  kReshapeFailed,
  kCompileFailed,
  kLayoutFailed,
  kExtensionFailed,
  kNotCompiled,
  kInternal,
  kLibraryFailed,
  kInitializeFailed,
  kMetadataFailed,
  kNotInitialized,
  kCustomNodeFailed,
  kCustomOutputsCorrupted,
  kCustomOutputCountCorrupted,
  kCustomOutputNameMissing,
  kCustomOutputPrecision,
  kCustomOutputShape,
  kCustomOutputContentSize,
  kPreprocessingFailed,
  kSequenceMissing,
  kSequenceExists,
  kSequenceTerminated,
  kSequenceLimit,
  kBatchingFailed,
  kSharedMemoryExists,
  kSharedMemoryMissing,
  kSharedMemoryOpen,
  kSharedMemoryInvalid,
  kSharedMemoryBroken,
  kSharedMemoryLimit,
  kNotJoined,
  kNamesFailed,
};

inline constexpr std::array<const char*, 37> kStatusNames = {"OK",
                                                             "BINDING_FAILED",
                                                             "INFERENCE_FAILED",
                                                             "CANCELLED",
                                                             "OUTPUT_FAILED",
                                                             "READ_FAILED",
                                                             "RESHAPE_FAILED",
                                                             "COMPILE_FAILED",
                                                             "LAYOUT_FAILED",
                                                             "EXTENSION_FAILED",
                                                             "NOT_COMPILED",
                                                             "INTERNAL",
                                                             "LIBRARY_FAILED",
                                                             "INITIALIZE_FAILED",
                                                             "METADATA_FAILED",
                                                             "NOT_INITIALIZED",
                                                             "CUSTOM_NODE_FAILED",
                                                             "CUSTOM_OUTPUTS_CORRUPTED",
                                                             "CUSTOM_OUTPUT_COUNT_CORRUPTED",
                                                             "CUSTOM_OUTPUT_NAME_MISSING",
                                                             "CUSTOM_OUTPUT_PRECISION",
                                                             "CUSTOM_OUTPUT_SHAPE",
                                                             "CUSTOM_OUTPUT_CONTENT_SIZE",
                                                             "PREPROCESSING_FAILED",
                                                             "SEQUENCE_MISSING",
                                                             "SEQUENCE_EXISTS",
                                                             "SEQUENCE_TERMINATED",
                                                             "SEQUENCE_LIMIT",
                                                             "BATCHING_FAILED",
                                                             "SHARED_MEMORY_EXISTS",
                                                             "SHARED_MEMORY_MISSING",
                                                             "SHARED_MEMORY_OPEN",
                                                             "SHARED_MEMORY_INVALID",
                                                             "SHARED_MEMORY_BROKEN",
                                                             "SHARED_MEMORY_LIMIT",
                                                             "NOT_JOINED",
                                                             "NAMES_FAILED"};
static_assert(kStatusNames.size() == static_cast<std::size_t>(StatusCode::kNamesFailed) + 1, "one name for each code");

/// The outcome of a call. It owns its text and may cross threads; a dropped one is a compiler error.
class [[nodiscard]] Status {
 public:
  static Status Ok() { return {}; }
  Status(StatusCode code, std::string text) : code_(code), text_(std::move(text)) {}

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  /// One sentence for a log, empty when ok.
  const std::string& text() const { return text_; }
  const char* name() const { return kStatusNames[static_cast<std::size_t>(code_)]; }

  /// The same fault with the place in front, for example `input 0: ...`.
  Status At(const std::string& place) && { return {code_, place + ": " + text_}; }

 private:
  Status() = default;
  StatusCode code_ = StatusCode::kOk;
  std::string text_;
};

}  // namespace vinery

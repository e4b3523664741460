#include "predict_service.h"

#include <cstdint>
#include <string>

namespace reference {
namespace {

grpc::Status Expected(const std::string& what, std::size_t received) {
  return {grpc::StatusCode::INVALID_ARGUMENT, "expected " + what + ", received " + std::to_string(received)};
}

void Answer(std::int64_t label, tensorflow::serving::PredictResponse* response) {
  tensorflow::TensorProto& tensor = (*response->mutable_outputs())["label"];
  tensor.set_dtype(tensorflow::DT_INT64);
  tensor.mutable_tensor_shape()->add_dim()->set_size(1);
  tensor.set_tensor_content(&label, sizeof label);
}

}  // namespace

grpc::ServerUnaryReactor* PredictService::Predict(grpc::CallbackServerContext* context,
                                                  const tensorflow::serving::PredictRequest* request,
                                                  tensorflow::serving::PredictResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  if (request->inputs_size() != 1) {
    reactor->Finish(Expected("one input", static_cast<std::size_t>(request->inputs_size())));
    return reactor;
  }
  const std::string& bytes = request->inputs().begin()->second.tensor_content();
  if (pipeline_ == nullptr) {
    Answer(0, response);
    reactor->Finish(grpc::Status::OK);
  } else if (bytes.size() != pipeline_->input_bytes()) {
    reactor->Finish(Expected(std::to_string(pipeline_->input_bytes()) + " bytes", bytes.size()));
  } else {
    pipeline_->run(reinterpret_cast<const float*>(bytes.data()), [reactor, response](std::int64_t label) {
      Answer(label, response);
      reactor->Finish(grpc::Status::OK);
    });
  }
  return reactor;
}

}  // namespace reference

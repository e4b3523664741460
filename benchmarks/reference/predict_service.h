#pragma once

#include <grpcpp/grpcpp.h>

#include "pipeline.h"
#include "tensorflow_serving/apis/prediction_service.grpc.pb.h"

namespace reference {

/// Predict of the demo pipeline with the callback API of grpc++ and nothing else: no names, no versions, no checks but
/// of the size. The input is read in the message.
class PredictService final : public tensorflow::serving::PredictionService::CallbackService {
 public:
  /// Without a pipeline every answer is 0: what gRPC alone costs. The pipeline must outlive the service.
  explicit PredictService(Pipeline* pipeline) : pipeline_(pipeline) {}

  grpc::ServerUnaryReactor* Predict(grpc::CallbackServerContext* context,
                                    const tensorflow::serving::PredictRequest* request,
                                    tensorflow::serving::PredictResponse* response) override;

 private:
  Pipeline* pipeline_;
};

}  // namespace reference

// The least a gRPC server of the demo pipeline can be: the pipeline of `local` behind grpc++.
//
//   limit --port PORT (--trivial | --googlenet FILE.xml --resnet FILE.xml --argmax FILE.xml
//         [--streams LATENCY|THROUGHPUT|N] [--slots K] [--inline])
//
// Listens on 127.0.0.1 and says `ready`. Inline infers on the threads of grpc++: for tiny networks, with one stream.
// Trivial answers without an inference. Ends well on SIGTERM and SIGINT.
#include <grpcpp/grpcpp.h>
#include <pthread.h>

#include <csignal>
#include <exception>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

#include "options.h"
#include "pipeline.h"
#include "predict_service.h"

namespace {

/// Blocked before any thread starts, so that only `sigwait` gets them.
sigset_t BlockStopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  if (pthread_sigmask(SIG_BLOCK, &signals, nullptr) != 0) throw std::runtime_error("could not block signals");
  return signals;
}

void Serve(const reference::Options& options) {
  const sigset_t signals = BlockStopSignals();
  std::unique_ptr<reference::Pipeline> pipeline;
  if (!options.has("trivial")) pipeline = std::make_unique<reference::Pipeline>(options);
  reference::PredictService service(pipeline.get());
  grpc::ServerBuilder builder;
  const std::string address = "127.0.0.1:" + options.required("port");
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.SetMaxReceiveMessageSize(-1);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) throw std::runtime_error("could not listen on " + address);
  std::cout << "ready\n" << std::flush;
  int received = 0;
  sigwait(&signals, &received);
  server->Shutdown();
}

}  // namespace

int main(int count, const char* const* words) {
  try {
    std::set<std::string> names = reference::Pipeline::option_names();
    names.insert("port");
    std::set<std::string> flags = reference::Pipeline::option_flags();
    flags.insert("trivial");
    Serve(reference::Options(count, words, names, flags));
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "limit: " << error.what() << '\n';
    return 1;
  }
}

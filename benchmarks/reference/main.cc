// The demo pipeline in plain C++, in process: what the machine and OpenVINO give when there is no server.
//
//   reference --googlenet FILE.xml --resnet FILE.xml --argmax FILE.xml --pictures FILE
//             [--hint LATENCY|THROUGHPUT] [--calls 1] [--warm-up 1] [--seconds 5]
//
// Prints one line of JSON: times in milliseconds, CPU in microseconds a request, the label of each picture or null.
#include <exception>
#include <iostream>
#include <sstream>

#include "closed_loop.h"
#include "measuring_window.h"
#include "options.h"
#include "pictures.h"
#include "pipeline.h"

namespace {

std::string Json(const reference::MeasuringWindow& window, const reference::Labels& labels) {
  std::ostringstream json;
  json.precision(9);
  json << "{\"requests\":" << window.requests() << ",\"rate\":" << window.rate();
  json << ",\"p50Ms\":" << window.quantile_ms(0.5) << ",\"p95Ms\":" << window.quantile_ms(0.95);
  json << ",\"p99Ms\":" << window.quantile_ms(0.99) << ",\"cpuMicros\":" << window.cpu_micros_per_request();
  json << R"(,"openvino":")" << ov::get_openvino_version().buildNumber << R"(","labels":[)";
  const char* separator = "";
  for (const auto& label : labels) {
    json << separator << (label.has_value() ? std::to_string(*label) : "null");
    separator = ",";
  }
  json << "]}";
  return json.str();
}

}  // namespace

int main(int count, const char* const* words) {
  try {
    const reference::Options options = reference::ParseOptions(count, words);
    reference::Pipeline pipeline(options);
    reference::Pictures pictures(options.pictures, ov::shape_size(pipeline.picture_shape()));
    reference::MeasuringWindow window(options.warm_up_seconds, options.seconds);
    const reference::Labels labels = RunClosedLoop(pipeline, pictures, options.calls, window);
    std::cout << Json(window, labels) << '\n';
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "reference: " << error.what() << '\n';
    return 1;
  }
}

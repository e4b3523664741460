// The demo pipeline in plain C++, in process: what the machine and OpenVINO give when there is no server.
//
//   local --googlenet FILE.xml --resnet FILE.xml --argmax FILE.xml --inputs FILE
//         [--streams LATENCY|THROUGHPUT|N] [--slots K] [--inline] [--calls 1] [--warm-up 1] [--seconds 5]
//
// The file of inputs holds raw f32, one input after the other. N streams have one thread each. Prints one line of JSON:
// times in milliseconds, CPU in microseconds a request, the label of each input or null.
#include <exception>
#include <iostream>
#include <sstream>

#include "closed_loop.h"
#include "cpu_time.h"
#include "inputs.h"
#include "measuring_window.h"
#include "options.h"
#include "pipeline.h"

namespace {

std::string Json(const reference::MeasuringWindow& window, const reference::Labels& labels) {
  std::ostringstream json;
  json << "{" << window.figures() << R"(,"openvino":")" << ov::get_openvino_version().buildNumber << R"(","labels":[)";
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
    std::set<std::string> names = reference::Pipeline::option_names();
    names.insert({"inputs", "calls", "warm-up", "seconds"});
    const reference::Options options(count, words, names, reference::Pipeline::option_flags());
    reference::Pipeline pipeline(options);
    const reference::Inputs inputs(options.required("inputs"), pipeline.input_bytes() / sizeof(float));
    reference::MeasuringWindow window(options.number("warm-up", 1), options.number("seconds", 5),
                                      [] { return reference::CpuReading{reference::CpuSeconds(), 0}; });
    const reference::Labels labels = RunClosedLoop(pipeline, inputs, options.count("calls", 1), window);
    std::cout << Json(window, labels) << '\n';
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "local: " << error.what() << '\n';
    return 1;
  }
}

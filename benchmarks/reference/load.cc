// The load client: calls of one method with ready-made messages, in a closed loop or at a fixed rate.
//
//   load --port PORT --requests FILE [--method /tensorflow.serving.PredictionService/Predict] [--pid SERVER]
//        [--calls 1 | --rate R] [--connections 1] [--warm-up 1] [--seconds 5]
//
// The file holds messages, each behind its length as a little-endian u32. Prints one line of JSON: times in
// milliseconds, CPU in microseconds a request (the server's of /proc/PID/stat, and the client's own), the calls that
// failed, and the bytes of the first answer to each request in hexadecimal digits or null. Exit code 1 when nothing
// could be measured.
#include <exception>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <stdexcept>

#include "calls.h"
#include "cpu_time.h"
#include "measuring_window.h"
#include "options.h"
#include "request_file.h"

namespace {

std::string Quoted(const std::string& text) {
  std::ostringstream json;
  json << '"' << std::hex << std::setfill('0');
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') {
      json << '\\' << letter;
    } else if (static_cast<unsigned char>(letter) < 0x20) {
      json << "\\u" << std::setw(4) << static_cast<int>(letter);
    } else {
      json << letter;
    }
  }
  json << '"';
  return json.str();
}

std::string Hexadecimal(const std::string& bytes) {
  std::ostringstream digits;
  digits << std::hex << std::setfill('0');
  for (const char byte : bytes) digits << std::setw(2) << static_cast<int>(static_cast<unsigned char>(byte));
  return digits.str();
}

std::string Json(const reference::MeasuringWindow& window, const reference::Answers& answers) {
  std::ostringstream json;
  json << "{" << window.figures() << ",\"failed\":" << answers.failed;
  json << ",\"firstFailure\":" << (answers.failed == 0 ? "null" : Quoted(answers.first_failure)) << ",\"answers\":[";
  const char* separator = "";
  for (const auto& answer : answers.first) {
    json << separator << (answer.has_value() ? Quoted(Hexadecimal(*answer)) : "null");
    separator = ",";
  }
  json << "]}";
  return json.str();
}

reference::Answers Measure(const reference::Options& options, reference::MeasuringWindow& window) {
  reference::Target target;
  target.address = "127.0.0.1:" + options.required("port");
  target.method = options.text("method", "/tensorflow.serving.PredictionService/Predict");
  target.connections = options.count("connections", 1);
  target.requests = reference::ReadRequests(options.required("requests"));
  reference::Calls calls(target, window);
  if (!options.has("rate")) return calls.closed_loop(options.count("calls", 1));
  const double rate = options.number("rate", 0);
  if (rate <= 0) throw std::invalid_argument("expected a number above 0 for --rate");
  return calls.open_loop(rate);
}

}  // namespace

int main(int count, const char* const* words) {
  try {
    const reference::Options options(
        count, words, {"port", "requests", "method", "pid", "calls", "rate", "connections", "warm-up", "seconds"}, {});
    const int server = options.has("pid") ? static_cast<int>(options.count("pid", 1)) : 0;
    reference::MeasuringWindow window(options.number("warm-up", 1), options.number("seconds", 5), [server] {
      return reference::CpuReading{server == 0 ? 0 : reference::CpuSeconds(server), reference::CpuSeconds()};
    });
    const reference::Answers answers = Measure(options, window);
    if (!window.closed()) {
      throw std::runtime_error(std::to_string(answers.failed) +
                               " calls failed, the first one: " + answers.first_failure);
    }
    std::cout << Json(window, answers) << '\n';
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "load client: " << error.what() << '\n';
    return 1;
  }
}

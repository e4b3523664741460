#include "napi/conversions.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "core/binding_row.h"

namespace vinery {
namespace {

std::string Received(const Napi::Value& value) {
  switch (value.Type()) {
    case napi_undefined:
      return "undefined";
    case napi_null:
      return "null";
    case napi_number:
      return value.ToString().Utf8Value();
    case napi_boolean:
      return "a boolean";
    case napi_string:
      return "a string";
    case napi_function:
      return "a function";
    default:
      return "another kind of value";
  }
}

[[noreturn]] void ThrowExpected(const Napi::Value& value, const std::string& name, const char* expected) {
  ThrowTypeError(value.Env(), name + ": expected " + expected + ", received " + Received(value));
}

/// Largest integer up to which every integer has a `double` of its own.
constexpr double kLargestSafeInteger = 9007199254740991.0;

double ReadInteger(const Napi::Value& value, const char* name, double largest) {
  if (value.IsNumber()) {
    const double number = value.As<Napi::Number>().DoubleValue();
    if (number >= 0 && number <= largest && std::trunc(number) == number) return number;
  }
  ThrowExpected(value, name, "a non-negative integer");
}

Napi::Object ReadObject(const Napi::Value& value, const std::string& name) {
  if (!value.IsObject() || value.IsArray()) ThrowExpected(value, name, "an object");
  return value.As<Napi::Object>();
}

template <typename Element>
std::vector<Element> ReadList(const Napi::Value& value, const std::string& name,
                              const std::function<Element(const Napi::Value&, const std::string&)>& read) {
  if (!value.IsArray()) ThrowExpected(value, name, "an array");
  const auto array = value.As<Napi::Array>();
  std::vector<Element> list;
  list.reserve(array.Length());
  for (std::uint32_t index = 0; index < array.Length(); ++index) {
    list.push_back(read(array.Get(index), name + "[" + std::to_string(index) + "]"));
  }
  return list;
}

PropertyValue ReadProperty(const Napi::Value& value, const std::string& name) {
  if (value.IsString()) return ReadString(value, name);
  if (value.IsBoolean()) return ReadBoolean(value, name);
  if (!value.IsNumber()) ThrowExpected(value, name, "a string, a boolean or a number");
  const double number = value.As<Napi::Number>().DoubleValue();
  if (std::trunc(number) == number && std::abs(number) <= kLargestSafeInteger) return static_cast<std::int64_t>(number);
  return number;
}

std::vector<std::pair<std::string, PropertyValue>> ReadProperties(const Napi::Value& value, const std::string& name) {
  const Napi::Object object = ReadObject(value, name);
  std::vector<std::pair<std::string, PropertyValue>> properties;
  const Napi::Array keys = object.GetPropertyNames();
  for (std::uint32_t index = 0; index < keys.Length(); ++index) {
    const std::string key = keys.Get(index).ToString().Utf8Value();
    std::string path = name;
    path.append(".").append(key);
    properties.emplace_back(key, ReadProperty(object.Get(key), path));
  }
  return properties;
}

std::pair<std::string, std::string> ReadPair(const Napi::Value& value, const std::string& name) {
  auto texts = ReadList<std::string>(value, name, ReadString);
  if (texts.size() != 2) ThrowExpected(value, name, "a key and a value");
  return {std::move(texts[0]), std::move(texts[1])};
}

NameMapping ReadMapping(const Napi::Value& value, const std::string& name) {
  const Napi::Object object = ReadObject(value, name);
  return {ReadList<std::pair<std::string, std::string>>(object.Get("inputs"), name + ".inputs", ReadPair),
          ReadList<std::pair<std::string, std::string>>(object.Get("outputs"), name + ".outputs", ReadPair)};
}

std::int64_t ReadDimensionBound(const Napi::Value& value, const std::string& name) {
  if (value.IsNumber()) {
    const double number = value.As<Napi::Number>().DoubleValue();
    if (number >= -1 && number <= kLargestSafeInteger && std::trunc(number) == number)
      return static_cast<std::int64_t>(number);
  }
  ThrowExpected(value, name, "an integer from -1 on");
}

DimensionRange ReadDimension(const Napi::Value& value, const std::string& name) {
  const auto bounds = ReadList<std::int64_t>(value, name, ReadDimensionBound);
  if (bounds.size() != 2) ThrowExpected(value, name, "two numbers");
  return {bounds[0], bounds[1]};
}

/// `null` is nothing.
template <typename Element>
std::optional<Element> ReadOrNull(const Napi::Value& value, const std::string& name,
                                  Element (*read)(const Napi::Value&, const std::string&)) {
  if (value.IsNull()) return std::nullopt;
  return read(value, name);
}

std::vector<DimensionRange> ReadDimensions(const Napi::Value& value, const std::string& name) {
  return ReadList<DimensionRange>(value, name, ReadDimension);
}

ShapeRequest ReadShape(const Napi::Value& value, const std::string& name) {
  const Napi::Object object = ReadObject(value, name);
  return {ReadString(object.Get("name"), name + ".name"),
          ReadOrNull(object.Get("dimensions"), name + ".dimensions", ReadDimensions)};
}

LayoutRequest ReadLayout(const Napi::Value& value, const std::string& name) {
  const Napi::Object object = ReadObject(value, name);
  return {ReadString(object.Get("name"), name + ".name"),
          ReadOrNull(object.Get("tensor"), name + ".tensor", ReadString),
          ReadOrNull(object.Get("model"), name + ".model", ReadString)};
}

float ReadFloat(const Napi::Value& value, const std::string& name) {
  if (!value.IsNumber()) ThrowExpected(value, name, "a number");
  return value.As<Napi::Number>().FloatValue();
}

ConversionRequest ReadConversion(const Napi::Value& value, const std::string& name) {
  const Napi::Object object = ReadObject(value, name);
  return {ReadString(object.Get("tensor"), name + ".tensor"), ReadString(object.Get("model"), name + ".model")};
}

PreprocessingRequest ReadPreprocessing(const Napi::Value& value, const std::string& name) {
  const Napi::Object object = ReadObject(value, name);
  return {ReadList<float>(object.Get("mean"), name + ".mean", ReadFloat),
          ReadList<float>(object.Get("scale"), name + ".scale", ReadFloat),
          ReadOrNull(object.Get("color"), name + ".color", ReadConversion),
          ReadOrNull(object.Get("elementType"), name + ".elementType", ReadConversion)};
}

StatefulRequest ReadStateful(const Napi::Value& value, const std::string& name) {
  const Napi::Object object = ReadObject(value, name);
  return {ReadUint32(object.Get("maxSequences"), (name + ".maxSequences").c_str()),
          ReadBoolean(object.Get("lowLatency"), name + ".lowLatency")};
}

std::uint32_t ReadCount(const Napi::Value& value, const std::string& name) { return ReadUint32(value, name.c_str()); }

template <typename Element>
Napi::Array ToArray(Napi::Env env, const std::vector<Element>& list,
                    const std::function<Napi::Value(Napi::Env, const Element&)>& convert) {
  Napi::Array array = Napi::Array::New(env, list.size());
  for (std::uint32_t index = 0; index < list.size(); ++index) array.Set(index, convert(env, list[index]));
  return array;
}

Napi::Value DimensionToValue(Napi::Env env, const DimensionRange& range) {
  Napi::Array pair = Napi::Array::New(env, 2);
  pair.Set(0U, Napi::Number::New(env, static_cast<double>(range.first)));
  pair.Set(1U, Napi::Number::New(env, static_cast<double>(range.second)));
  return pair;
}

Napi::Value PortToValue(Napi::Env env, const PortDescription& port) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("name", port.name);
  object.Set("names", ToArray<std::string>(env, port.names, [](Napi::Env inner, const std::string& name) {
               return ToValue(inner, name);
             }));
  object.Set("elementType", port.element_type);
  object.Set("dimensions",
             port.dimensions ? ToArray<DimensionRange>(env, *port.dimensions, DimensionToValue) : env.Null());
  object.Set("layout", port.layout);
  return object;
}

Napi::Value InfoToValue(Napi::Env env, const std::vector<ModelInfo>& entries) {
  Napi::Object object = Napi::Object::New(env);
  for (const ModelInfo& entry : entries) {
    const auto* const text = std::get_if<std::string>(&entry.value);
    object.Set(entry.name,
               text != nullptr ? ToValue(env, *text) : InfoToValue(env, std::get<std::vector<ModelInfo>>(entry.value)));
  }
  return object;
}

const char* SharedConstantsName(SharedConstants shared) {
  switch (shared) {
    case SharedConstants::kFolded:
      return "folded";
    case SharedConstants::kOneStream:
      return "one stream";
    default:
      return "untouched";
  }
}

std::size_t ReadSize(const Napi::Value& value, const std::string& name) { return ReadOffset(value, name.c_str()); }

ov::Shape ReadTrialShape(const Napi::Value& value, const std::string& name) {
  return {ReadList<std::size_t>(value, name, ReadSize)};
}

Napi::Value SizeToValue(Napi::Env env, const std::size_t& size) {
  return Napi::Number::New(env, static_cast<double>(size));
}

Napi::Value TrialTensorToValue(Napi::Env env, const TrialTensor& tensor) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("elementType", tensor.element_type);
  object.Set("shape", ToArray<std::size_t>(env, tensor.shape, SizeToValue));
  Napi::Uint8Array bytes = Napi::Uint8Array::New(env, tensor.bytes.size());
  std::copy(tensor.bytes.begin(), tensor.bytes.end(), bytes.Data());
  object.Set("bytes", bytes);
  return object;
}

Napi::Value TrialAnswerToValue(Napi::Env env, const TrialAnswer& answer) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("outputs", ToArray<TrialTensor>(env, answer.outputs, TrialTensorToValue));
  object.Set("fault", answer.fault);
  return object;
}

Napi::Object CustomNodePortToValue(Napi::Env env, const CustomNodePort& port) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("name", port.name);
  object.Set("precision", PrecisionName(port.precision));
  object.Set("dimensions", ToArray<std::uint64_t>(env, port.dimensions, [](Napi::Env inner, const std::uint64_t& size) {
               return Napi::Number::New(inner, static_cast<double>(size));
             }));
  return object;
}

}  // namespace

std::string ReadString(const Napi::Value& value, const std::string& name) {
  if (!value.IsString()) ThrowExpected(value, name, "a string");
  return value.As<Napi::String>().Utf8Value();
}

bool ReadBoolean(const Napi::Value& value, const std::string& name) {
  if (!value.IsBoolean()) ThrowExpected(value, name, "a boolean");
  return value.As<Napi::Boolean>().Value();
}

std::uint32_t ReadUint32(const Napi::Value& value, const char* name) {
  return static_cast<std::uint32_t>(ReadInteger(value, name, std::numeric_limits<std::uint32_t>::max()));
}

std::int32_t ReadToken(const Napi::Value& value) {
  return static_cast<std::int32_t>(ReadInteger(value, "token", std::numeric_limits<std::int32_t>::max()));
}

std::uint64_t ReadOffset(const Napi::Value& value, const char* name) {
  return static_cast<std::uint64_t>(ReadInteger(value, name, kLargestSafeInteger));
}

Napi::Uint8Array ReadBytes(const Napi::Value& value, const char* name) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    ThrowExpected(value, name, "a Uint8Array");
  }
  return value.As<Napi::Uint8Array>();
}

Napi::Uint8Array ReadSharedBytes(const Napi::Value& value, const char* name) {
  const Napi::Uint8Array view = ReadBytes(value, name);
  // `ArrayBuffer()` gives the buffer whatever its kind is.
  const Napi::Value buffer = view.ArrayBuffer();
  if (buffer.IsArrayBuffer()) {
    ThrowTypeError(value.Env(), std::string(name) + ": expected a view of a SharedArrayBuffer");
  }
  const double size = buffer.As<Napi::Object>().Get("byteLength").ToNumber().DoubleValue();
  if (view.ByteOffset() != 0 || static_cast<double>(view.ByteLength()) != size) {
    ThrowTypeError(value.Env(), std::string(name) + ": expected a view of the whole SharedArrayBuffer");
  }
  return view;
}

Napi::Float64Array ReadTable(const Napi::Value& value, std::size_t ports) {
  const auto table = ReadNumbers<Napi::Float64Array>(value, napi_float64_array, "table: expected a Float64Array");
  const std::size_t expected = ports * kBindingStride;
  if (table.ElementLength() < expected) {
    ThrowTypeError(value.Env(), "table: expected at least " + std::to_string(expected) + " numbers, received " +
                                    std::to_string(table.ElementLength()));
  }
  return table;
}

CustomNodeSpecification ReadCustomNodeSpecification(const Napi::Value& value) {
  const std::string name = "specification";
  const Napi::Object object = ReadObject(value, name);
  return {ReadString(object.Get("libraryPath"), name + ".libraryPath"),
          ReadList<std::pair<std::string, std::string>>(object.Get("params"), name + ".params", ReadPair)};
}

CompileSpecification ReadCompileSpecification(const Napi::Value& value) {
  const std::string name = "specification";
  const Napi::Object object = ReadObject(value, name);
  return {ReadString(object.Get("path"), name + ".path"),
          ReadString(object.Get("device"), name + ".device"),
          ReadProperties(object.Get("properties"), name + ".properties"),
          ReadMapping(object.Get("mapping"), name + ".mapping"),
          ReadList<ShapeRequest>(object.Get("shapes"), name + ".shapes", ReadShape),
          ReadList<LayoutRequest>(object.Get("layouts"), name + ".layouts", ReadLayout),
          ReadOrNull(object.Get("batch"), name + ".batch", ReadDimension),
          ReadPreprocessing(object.Get("preprocessing"), name + ".preprocessing"),
          ReadOrNull(object.Get("stateful"), name + ".stateful", ReadStateful),
          ReadOrNull(object.Get("joinedRows"), name + ".joinedRows", ReadCount)};
}

Napi::Value ToValue(Napi::Env env, const ModelDescription& description) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("inputs", ToArray<PortDescription>(env, description.inputs, PortToValue));
  object.Set("outputs", ToArray<PortDescription>(env, description.outputs, PortToValue));
  object.Set("optimalInferRequests", description.optimal_infer_requests);
  object.Set("streams", description.streams);
  object.Set("modelInfo", description.model_info ? InfoToValue(env, *description.model_info) : env.Null());
  object.Set("mayFailInside", description.may_fail_inside);
  object.Set("hasState", description.has_state);
  object.Set("sharedConstants", SharedConstantsName(description.shared_constants));
  object.Set("loadedFromCache", description.loaded_from_cache);
  if (!description.compiled_by_shape.empty()) object.Set("compiledByShape", description.compiled_by_shape);
  return object;
}

TrialQuestion ReadTrialQuestion(const Napi::Value& value) {
  const Napi::Object object = ReadObject(value, "question");
  return {ReadList<ov::Shape>(object.Get("shapes"), "question.shapes", ReadTrialShape),
          ReadUint32(object.Get("seed"), "question.seed"), ReadUint32(object.Get("requests"), "question.requests")};
}

Napi::Value ToValue(Napi::Env env, const std::vector<TrialAnswer>& answers) {
  return ToArray<TrialAnswer>(env, answers, TrialAnswerToValue);
}

Napi::Value ToValue(Napi::Env env, const CustomNodeDescription& description) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("inputs", ToArray<CustomNodePort>(env, description.inputs, CustomNodePortToValue));
  object.Set("outputs", ToArray<CustomNodePort>(env, description.outputs, CustomNodePortToValue));
  return object;
}

Napi::Value ToValue(Napi::Env env, const std::vector<CustomNodeOutput>& outputs) {
  return ToArray<CustomNodeOutput>(env, outputs, [](Napi::Env inner, const CustomNodeOutput& output) {
    Napi::Object object = CustomNodePortToValue(inner, output.port);
    object.Set("byteLength", static_cast<double>(output.bytes));
    return object;
  });
}

Napi::Value ToValue(Napi::Env env, const std::string& text) { return Napi::String::New(env, text); }

Napi::Error ToError(Napi::Env env, const Status& status) {
  Napi::Error error = Napi::Error::New(env, status.text());
  error.Set("code", status.name());
  return error;
}

void ThrowFault(Napi::Env env, const Status& status) {
  if (!status.ok()) throw ToError(env, status);
}

void ThrowTypeError(Napi::Env env, const std::string& message) { throw Napi::TypeError::New(env, message); }

}  // namespace vinery

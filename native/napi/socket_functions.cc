#include <cstring>
#include <vector>

#include "core/illegal_instruction.h"
#include "core/tcp_listener.h"
#include "napi/conversions.h"
#include "napi/functions.h"

namespace vinery {
namespace {

void ThrowErrno(Napi::Env env, const std::string& what, int number) {
  if (number == 0) return;
  Napi::Error error = Napi::Error::New(env, what + ": " + std::strerror(number));
  error.Set("code", ErrnoName(number));
  throw error;
}

std::uint32_t ReadAtMost(const Napi::Value& value, const char* name, std::uint32_t largest) {
  const std::uint32_t number = ReadUint32(value, name);
  if (number > largest)
    ThrowTypeError(value.Env(), std::string(name) + ": expected at most " + std::to_string(largest));
  return number;
}

int ReadDescriptor(const Napi::Value& value) { return static_cast<int>(ReadAtMost(value, "fd", 0x7fffffff)); }

}  // namespace

Napi::Value ListenOn(const Napi::CallbackInfo& info) {
  const std::string address = ReadString(info[0], "address");
  const auto port = static_cast<std::uint16_t>(ReadAtMost(info[1], "port", 0xffff));
  const auto backlog = static_cast<int>(ReadAtMost(info[2], "backlog", 0x7fffffff));
  TcpListener listener;
  ThrowErrno(info.Env(), "listen " + address + " port " + std::to_string(port),
             Listen(address, port, backlog, listener));
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("fd", listener.fd);
  result.Set("port", listener.port);
  return result;
}

Napi::Value DuplicateDescriptor(const Napi::CallbackInfo& info) {
  int copy = -1;
  ThrowErrno(info.Env(), "duplicate", Duplicate(ReadDescriptor(info[0]), copy));
  return Napi::Number::New(info.Env(), copy);
}

Napi::Value AcceptWaitingClients(const Napi::CallbackInfo& info) {
  std::vector<Descriptor> sockets = AcceptWaiting(ReadDescriptor(info[0]));
  Napi::Array array = Napi::Array::New(info.Env(), sockets.size());
  for (std::uint32_t index = 0; index < sockets.size(); ++index) array.Set(index, sockets[index].get());
  for (Descriptor& socket : sockets) static_cast<void>(socket.Release());
  return array;
}

void CloseSocket(const Napi::CallbackInfo& info) {
  ThrowErrno(info.Env(), "closeDescriptor", CloseDescriptor(ReadDescriptor(info[0])));
}

void HandleIllegalInstruction(const Napi::CallbackInfo& info) {
  ThrowErrno(info.Env(), "exitOnIllegalInstruction", ExitOnIllegalInstruction());
}

}  // namespace vinery

#pragma once

// The one place that includes the Node-API wrapper; its switches (NAPI_VERSION, C++ exceptions) are set by
// CMakeLists.txt for all.
#include <napi.h>

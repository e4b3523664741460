#pragma once

#include <string>

namespace vinery {

/// A text of a client as errors repeat it: whole up to 128 characters, then those and its length. What `shortened` of
/// src/texts.ts does; characters are UTF-16 code units here, too. `text` is UTF-8.
std::string Shortened(const std::string& text);

}  // namespace vinery

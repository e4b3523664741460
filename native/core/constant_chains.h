#pragma once

#include <memory>
#include <openvino/core/model.hpp>
#include <set>
#include <string>

namespace vinery {

/// Names of operations, as `ov::Node::get_friendly_name` tells them.
using OperationNames = std::set<std::string>;

/// Finds the nodes of a runtime model of CPU that may write over what another executed node has made of constants.
///
/// @returns the operations that these nodes came from. A node that came from none counts under its own name.
OperationNames FindConstantChains(const ov::Model& runtime_model);

/// Whether a model has an operation on constants: without it there is no chain.
bool HasExecutedConstants(const ov::Model& model);

/// Replaces the named operations by constants of their values, where all that they depend on are constants. Others stay.
void FoldConstants(const ov::Model& model, const OperationNames& names);

}  // namespace vinery

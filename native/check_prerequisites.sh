#!/bin/sh
# Says at once what is missing and how to get it on Debian, before anything is fetched or built.
# check_prerequisites.sh NODE PYTHON
node=$1
python=$2
missing=0

need() { # need WHAT PACKAGE CONDITION...
  what=$1
  package=$2
  shift 2
  "$@" >/dev/null 2>&1 && return
  echo "Missing: $what (Debian package: $package)" >&2
  missing=1
}

need "Node.js 20.17 or newer" "nodejs" "$node" -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 17) ? 0 : 1)'
need "npm" "npm" npm --version
need "Python 3.9 or newer" "python3" "$python" -c 'import sys; sys.exit(sys.version_info < (3, 9))'
need "pip for this Python" "python3-pip" "$python" -m pip --version
need "a C++17 compiler" "g++" sh -c 'echo "int main() { if constexpr (true) return 0; }" | ${CXX:-c++} -std=c++17 -x c++ -fsyntax-only -'
need "CMake 3.18 or newer" "cmake" sh -c 'cmake --version | head -n 1 | awk "{ split(\$3, v, \".\"); exit !(v[1] > 3 || (v[1] == 3 && v[2] >= 18)) }"'
exit $missing

{
  # The sources are listed in native/CMakeLists.txt only. This target hands the build over to it.
  "targets": [
    {
      "target_name": "vinery",
      "type": "none",
      "actions": [
        {
          "action_name": "build_with_cmake_js",
          "inputs": ["native/build.mjs", "native/CMakeLists.txt"],
          "outputs": ["build/native/Release/vinery.node"],
          "action": ["node", "native/build.mjs"]
        }
      ]
    }
  ]
}

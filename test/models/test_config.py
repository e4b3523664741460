"""config.json: the demo's pipeline word for word, whatever networks stand behind it."""
import json
import unittest

import support  # noqa: F401  puts the modules in reach

from tools import repository, sets

DEMO_PIPELINES = """
[{"name": "image_classification_pipeline", "inputs": ["image"], "nodes": [
  {"name": "googlenet_node", "model_name": "googlenet", "type": "DL model",
   "inputs": [{"input": {"node_name": "request", "data_item": "image"}}],
   "outputs": [{"data_item": "InceptionV2/Predictions/Softmax", "alias": "probability"}]},
  {"name": "resnet_node", "model_name": "resnet", "type": "DL model",
   "inputs": [{"map/TensorArrayStack/TensorArrayGatherV3": {"node_name": "request", "data_item": "image"}}],
   "outputs": [{"data_item": "softmax_tensor", "alias": "probability"}]},
  {"name": "argmax_node", "model_name": "argmax", "type": "DL model",
   "inputs": [{"input1": {"node_name": "googlenet_node", "data_item": "probability"}},
              {"input2": {"node_name": "resnet_node", "data_item": "probability"}}],
   "outputs": [{"data_item": "argmax/Squeeze", "alias": "most_probable_label"}]}],
 "outputs": [{"label": {"node_name": "argmax_node", "data_item": "most_probable_label"}}]}]
"""


class ConfigTest(unittest.TestCase):
    def test_pipelines_are_those_of_the_demo_in_every_set(self) -> None:
        for folders in sets.FOLDERS.values():
            written = repository.config(folders)["pipeline_config_list"]
            self.assertEqual(json.dumps(written), json.dumps(json.loads(DEMO_PIPELINES)))  # order of keys included

    def test_base_paths_are_relative(self) -> None:
        models = repository.config({**sets.FOLDERS["default"], "argmax": "argmax"})["model_config_list"]
        self.assertEqual(models, [{"config": {"name": "googlenet", "base_path": "efficientnet-lite0"}},
                                  {"config": {"name": "resnet", "base_path": "efficientnet-lite2"}},
                                  {"config": {"name": "argmax", "base_path": "argmax"}}])

    def test_mapping_leads_from_own_names_to_those_of_the_pipeline(self) -> None:
        self.assertEqual(repository.name_mapping("resnet", "images", "Softmax"),
                         {"inputs": {"images": "map/TensorArrayStack/TensorArrayGatherV3"},
                          "outputs": {"Softmax": "softmax_tensor"}})


if __name__ == "__main__":
    unittest.main()

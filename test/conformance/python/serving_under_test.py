"""What the tests know of the running server: where it listens and what the repository of `repository.ts` holds."""

import os

import numpy as np

GRPC_ADDRESS = os.environ.get("VINERY_GRPC_ADDRESS", "")
REST_ADDRESS = os.environ.get("VINERY_REST_ADDRESS", "")
# Folder of `imgs.npy` and `lbs.npy`, for the tests on pictures.
PICTURES = os.environ.get("VINERY_PICTURES", "")

# `a = b + increment`, FP32 [1,10]: as a model, and as a pipeline of that model twice.
INCREMENTS = {"dummy": 1, "dummy_twice": 2}

# Adds 1 in version 1 and 2 in version 2.
VERSIONED = "versioned"

# The element types a servable can have.
NUMPY_OF_PRECISION = {
    "FP64": np.float64,
    "FP32": np.float32,
    "FP16": np.float16,
    "I64": np.int64,
    "I32": np.int32,
    "I16": np.int16,
    "I8": np.int8,
    "U64": np.uint64,
    "U32": np.uint32,
    "U16": np.uint16,
    "U8": np.uint8,
    "BOOL": np.bool_,
}
KSERVE_NAMES = {precision: precision.replace("U", "UINT") for precision in ("U64", "U32", "U16", "U8")}
KSERVE_NAMES |= {precision: precision.replace("I", "INT") for precision in ("I64", "I32", "I16", "I8")}
KSERVE_NAMES |= {precision: precision for precision in ("FP64", "FP32", "FP16", "BOOL")}
INTEGERS = ("I64", "I32", "I16", "I8", "U32", "U16", "U8")
DATA_TYPE_NAMES = {
    "FP64": "DT_DOUBLE",
    "FP32": "DT_FLOAT",
    "FP16": "DT_HALF",
    "I64": "DT_INT64",
    "I32": "DT_INT32",
    "I16": "DT_INT16",
    "I8": "DT_INT8",
    "U64": "DT_UINT64",
    "U32": "DT_UINT32",
    "U16": "DT_UINT16",
    "U8": "DT_UINT8",
    "BOOL": "DT_BOOL",
}
# OpenVINO's CPU device computes the long types in the short ones.
COMPUTED_TYPES = {"FP64": np.float32, "I64": np.int32, "U64": np.int32}


def computed_type(precision):
    """The type whose values come back unchanged from a model of this precision."""
    return COMPUTED_TYPES.get(precision, NUMPY_OF_PRECISION[precision])


def passthrough(precision):
    """The model `out = in` [-1,-1]; one of each precision."""
    return f"passthrough_{precision}"


def increment(precision):
    """The model `a = b + 1` [1]; FP32, I32 and U8."""
    return f"increment_{precision}"


# Two networks side by side and an argmax behind them; tensor names with slashes, as in the demo.
ENSEMBLE, ENSEMBLE_INPUT, ENSEMBLE_OUTPUT = "ensemble", "image/in", "label/out"

# Two inputs with an output each, `left_sum = left + 1` and `right_sum = right + 2`, FP32 [1,10].
PAIR = "pair"

# Strings in `text`, the same in `same_string`.
TEXTS, TEXTS_INPUT, TEXTS_OUTPUT = "texts", "text", "same_string"

# Takes some tenths of a second.
HEAVY, HEAVY_INPUT, HEAVY_SHAPE = "heavy", "b", (512, 512)

# Its file cannot be read, and a pipeline over it.
BROKEN, BROKEN_PIPELINE = "broken", "broken_pipeline"

# A pipeline, its input and its output whose names are not ASCII.
UMLAUTS, UMLAUTS_INPUT, UMLAUTS_OUTPUT = "Größe", "Länge", "Fläche"

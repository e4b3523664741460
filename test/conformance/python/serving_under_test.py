"""What the tests know of the running server: where it listens and what the repository of `repository.ts` holds."""

import os

GRPC_ADDRESS = os.environ.get("VINERY_GRPC_ADDRESS", "")
REST_ADDRESS = os.environ.get("VINERY_REST_ADDRESS", "")
# Folder of `imgs.npy` and `lbs.npy`, for the tests on pictures.
PICTURES = os.environ.get("VINERY_PICTURES", "")

# `a = b + increment`, FP32 [1,10]: as a model, and as a pipeline of that model twice.
INCREMENTS = {"dummy": 1, "dummy_twice": 2}

# Adds 1 in version 1 and 2 in version 2.
VERSIONED = "versioned"

# A model that is `out = in` [-1,-1] in each precision.
PASSTHROUGH_PRECISIONS = ("FP64", "FP32", "FP16", "I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL")


def passthrough(precision: str) -> str:
    return f"passthrough_{precision}"


# Two networks side by side and an argmax behind them; tensor names with slashes, as in the demo.
ENSEMBLE, ENSEMBLE_INPUT, ENSEMBLE_OUTPUT = "ensemble", "image/in", "label/out"

# Takes some tenths of a second.
HEAVY, HEAVY_INPUT, HEAVY_SHAPE = "heavy", "b", (512, 512)

# Its file cannot be read, and a pipeline over it.
BROKEN, BROKEN_PIPELINE = "broken", "broken_pipeline"

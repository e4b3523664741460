"""Random tensors of every precision whose values a server on OpenVINO's CPU device gives back bit for bit.

The device computes FP64 in FP32, where it has no infinity and may take the smallest numbers for zeros, and 64-bit integers in 32 bits;
so FP64 tensors hold values of FP32 that are finite and normal, I64 and U64 those of I32. Of FP16 it quiets the NaN that signal. All
other types are random bits: NaN with any payload, infinities, subnormal numbers, the limits of integers.
"""

import numpy as np
from serving_under_test import NUMPY_OF_PRECISION

SEED = 20260226
# Of each precision.
TENSORS = 6
SPECIAL_SHAPES = ((0, 0), (0, 3), (5, 0), (1, 1))
LONGEST = 40


def random_tensors(precision):
    """The same tensors in every run: some without elements, most of random shapes."""
    random = np.random.default_rng([SEED, *precision.encode()])
    shapes = [*SPECIAL_SHAPES, *((int(a), int(b)) for a, b in random.integers(1, LONGEST, (TENSORS, 2)))]
    return [random_values(random, precision, shape) for shape in shapes]


def finite_tensors(precision):
    """As `random_tensors`, without what JSON cannot say."""
    for tensor in random_tensors(precision):
        if np.issubdtype(tensor.dtype, np.floating):
            tensor = np.where(np.isfinite(tensor), tensor, tensor.dtype.type(-0.0))
        yield tensor


def random_values(random, precision, shape):
    dtype = NUMPY_OF_PRECISION[precision]
    count = int(np.prod(shape))
    if precision == "BOOL":
        return random.integers(0, 2, shape).astype(np.bool_)
    if precision == "FP64":
        return finite_and_normal(random, random_bits(random, np.float32, count)).astype(dtype).reshape(shape)
    if precision in ("I64", "U64"):
        low = 0 if precision == "U64" else np.iinfo(np.int32).min
        values = random.integers(low, np.iinfo(np.int32).max, count, endpoint=True)
        return replaced(random, values, [low, np.iinfo(np.int32).max]).astype(dtype).reshape(shape)
    bits = random_bits(random, dtype, count)
    if precision == "FP16":
        bits = with_quiet_nans(bits)
    limited = with_limits(random, bits) if np.issubdtype(dtype, np.floating) else replaced(random, bits, limits(dtype))
    return limited.reshape(shape)


def random_bits(random, dtype, count):
    return np.frombuffer(random.bytes(count * np.dtype(dtype).itemsize), dtype).copy()


def limits(dtype):
    return [np.iinfo(dtype).min, np.iinfo(dtype).max]


def with_limits(random, values):
    info = np.finfo(values.dtype)
    return replaced(random, values, [np.nan, np.inf, -np.inf, -0.0, info.max, info.min, info.tiny])


def with_quiet_nans(halves):
    return np.where(np.isnan(halves), halves.view(np.uint16) | 0x0200, halves.view(np.uint16)).view(np.float16)


def finite_and_normal(random, values):
    info = np.finfo(values.dtype)
    is_normal = np.isfinite(values) & (np.abs(values) >= info.tiny)
    return replaced(random, np.where(is_normal, values, values.dtype.type(1.5)), [-0.0, info.max, info.min, info.tiny])


def replaced(random, values, by):
    """Puts each of some values somewhere, where there is room."""
    if values.size >= len(by):
        values[random.permutation(values.size)[: len(by)]] = by
    return values


def same_bits(test, answer, sent):
    test.assertEqual((answer.shape, answer.dtype), (sent.shape, sent.dtype))
    test.assertEqual(answer.tobytes(), sent.tobytes())

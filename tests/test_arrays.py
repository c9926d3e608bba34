"""Numbers however they are held: read without changing one of them, or refused by name."""
import warnings
from decimal import Decimal
from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import affinepieces as ap
from affinepieces._arrays import exact_array, float_array

SHORT = [ml_dtypes.bfloat16, ml_dtypes.float8_e3m4, ml_dtypes.float8_e4m3, ml_dtypes.float8_e4m3b11fnuz,
         ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e4m3fnuz, ml_dtypes.float8_e5m2, ml_dtypes.float8_e5m2fnuz,
         ml_dtypes.float8_e8m0fnu]
TORCH_SHORT = [torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2, torch.float8_e4m3fnuz, torch.float8_e5m2fnuz]


@pytest.mark.parametrize("dtype", SHORT)
def test_all_numbers_of_the_formats_of_ml_dtypes(dtype):
    bits = np.arange(2 ** (8 * np.dtype(dtype).itemsize)).astype(f"u{np.dtype(dtype).itemsize}")
    held = bits.view(dtype)
    expected = [float(v) for v in held]
    assert float_array(held, "x").dtype == np.float32
    assert np.array_equal(float_array(held, "x"), expected, equal_nan=True)
    assert np.array_equal(exact_array(list(held[1:9]), "x"), expected[1:9])


@pytest.mark.parametrize("dtype", TORCH_SHORT)
def test_all_numbers_of_the_formats_of_torch(dtype):
    bits = torch.arange(2 ** (8 * dtype.itemsize)).to(torch.uint16 if dtype.itemsize == 2 else torch.uint8)
    held = bits.view(dtype)
    assert float_array(held, "x").dtype == np.float32
    assert np.array_equal(float_array(held, "x"), [float(v) for v in held], equal_nan=True)


class Frame:
    """Like a table of another library."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.values, dtype)


GRAD = torch.tensor([1.5, 2.0], requires_grad=True)


@pytest.mark.parametrize(("values", "dtype", "expected"), [
    (GRAD, np.float32, [1.5, 2]),
    ([GRAD, GRAD * 2], np.float32, [[1.5, 2], [3, 4]]),
    ([GRAD.sum(), 1.0], np.float64, [3.5, 1]),
    ([GRAD.bfloat16(), [0.5, 0]], np.float64, [[1.5, 2], [0.5, 0]]),
    (torch.view_as_complex(torch.ones(2, 2)).conj().imag, np.float32, [-1, -1]),
    (torch.ones(2, dtype=torch.int64), np.float64, [1, 1]),
    (torch.nn.Parameter(torch.ones(1, dtype=torch.float64)), np.float64, [1]),
    (np.array([1.5], ">f4"), np.float32, [1.5]),
    ([np.float16(1), np.float16(6e4)], np.float16, [1, np.float16(6e4)]),
    ([np.ones(2, np.float32), np.float32([2**60, 3])], np.float32, [[1, 1], [2.0**60, 3]]),
    ([np.float32(1), 2**60], np.float64, [1, 2.0**60]),
    (np.array([True, False]), np.float64, [1, 0]),
    (2**60, np.float64, 2.0**60),
    ([2**53, -(2**62), 0.5], np.float64, [2.0**53, -(2.0**62), 0.5]),
    ([2**70, 1], np.float64, [2.0**70, 1]),
    (np.array([2**63], np.uint64), np.float64, [2.0**63]),
    (np.longdouble([0.1, np.nan, np.inf]), np.float64, [0.1, np.nan, np.inf]),
    ([Fraction(1, 4), Decimal("0.5"), 3, 0.1, True, np.int64(2)], np.float64, [0.25, 0.5, 3, 0.1, 1, 2]),
    ([Decimal("NaN"), float("-inf")], np.float64, [np.nan, -np.inf]),
    (ap.ExactArray.of([0.5, 3]).fractions(), np.float64, [0.5, 3]),
    (np.ma.array([1.0, 2.0]), np.float64, [1, 2]),
    (Frame([[1.0]]), np.float64, [[1]]),
    (Frame(np.array([1.5, 2], object)), np.float64, [1.5, 2]),
    (range(3), np.float64, [0, 1, 2]),
    (np.zeros((0, 3), np.float16), np.float16, np.zeros((0, 3))),
])
def test_numbers_that_are_read(values, dtype, expected):
    array = float_array(values, "x")
    assert (type(array), array.dtype) == (np.ndarray, dtype)
    assert np.array_equal(array, expected, equal_nan=True)
    exact = exact_array(values, "x")
    assert (type(exact), exact.dtype, exact.shape) == (np.ndarray, np.float64, np.shape(expected))
    assert np.array_equal(exact, expected, equal_nan=True)


@pytest.mark.parametrize(("values", "error", "message"), [
    ("0.5", TypeError, r"x has dtype <U3 \('0.5', for example\), expected float16, float32 or float64"),
    ([["0.5"], ["1"]], TypeError, "x has dtype <U3"),
    (np.array(["1"], np.dtypes.StringDType()), TypeError, r"x has dtype StringDType\(\) \('1', for example\)"),
    (b"1", TypeError, r"x has dtype \|S1"),
    (1j, TypeError, "x has dtype complex128, expected .* take .real"),
    (torch.ones(1, dtype=torch.complex64), TypeError, "x has dtype complex64"),
    (np.ones(1, [("a", float)]), TypeError, "x has dtype .*expected"),
    (np.array(["2020"], "M8[Y]"), TypeError, r"x has dtype datetime64\[Y\]"),
    (np.ones(2, "m8[s]"), TypeError, r"x has dtype timedelta64\[s\]"),
    (None, TypeError, "x is None, expected a real number"),
    ([[1.0, None]], TypeError, r"x\[0, 1\] is None, expected a real number"),
    ({"a": 1.0}, TypeError, r"x is {'a': 1.0}, expected"),
    ((v for v in [1.0]), TypeError, "x is <generator"),
    (torch.nn.Linear(1, 1), TypeError, "x is Linear"),
    ([Fraction(1, 2), 1j], TypeError, r"x\[1\] is 1j, expected a real number"),
    ([[1.0], [1.0, 2.0]], ValueError, "x is .*which numpy cannot read as an array of numbers"),
    (Frame("abc"), TypeError, "x has dtype <U3"),
    ([Fraction(1, 3)], ValueError, r"x\[0\] is Fraction\(1, 3\), not a float64: round it first, with float\(\)"),
    (Decimal("0.1"), ValueError, "x is Decimal.*not a float64"),
    (Decimal("1e400"), ValueError, "not a float64"),
    ([Decimal("sNaN")], ValueError, "not a float64"),
    ([2**53 + 1, 0.5], ValueError, r"x\[0\] is 9007199254740993, beyond 2\*\*53"),
    ([[0.5], [np.int64(2**53 + 1)]], ValueError, r"x\[1, 0\] is 9007199254740993, beyond 2\*\*53"),
    ([np.uint64(2**63 + 1), np.int64(-1)], ValueError, r"x\[0\] is 9223372036854775809, beyond 2\*\*53"),
    (np.array([[1, 2**53 + 1]]), ValueError, r"x\[0, 1\] is 9007199254740993"),
    (torch.tensor(-(2**53) - 1), ValueError, r"x is -9007199254740993, beyond"),
    (2**2000, ValueError, "x is 11481306952742545.*not a float64"),
    (np.longdouble(1) / 3, ValueError, "x is .*longdouble.*not a float64"),
    (np.ma.masked_less([1.0, 2.0], 1.5), ValueError, r"x has masked entries.*\.filled"),
    ([np.ma.masked_less([1.0, 2.0], 1.5), [0, 0]], ValueError, "x has masked entries"),
    (torch.ones(1, device="meta"), TypeError, "x is a meta tensor, which has a shape but no numbers"),
    (torch.eye(2).to_sparse(), TypeError, r"x is a tensor of layout torch.sparse_coo.*\.to_dense\(\)"),
])
def test_refusals(values, error, message):
    for read in (float_array, exact_array):
        with pytest.raises(error, match=message):
            read(values, "x")


def test_quantised_tensors_and_those_inside_a_transform():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch is about to drop them
        quantised = torch.quantize_per_tensor(torch.ones(2), 0.5, 0, torch.qint8)
    with pytest.raises(TypeError, match=r"x is a quantised .*\.dequantize\(\)"):
        exact_array(quantised, "x")
    with pytest.raises(TypeError, match=r"x is a Tensor of torch.float32, which numpy cannot read"):
        torch.vmap(lambda row: exact_array(row, "x"))(torch.ones(2, 2))


@given(st.lists(st.one_of(st.integers(-(2**65), 2**65), st.floats(), st.fractions(max_denominator=8)), max_size=5))
def test_no_number_changes(values):
    fits = [v != v or (abs(v) < 2**1000 and Fraction(v) == Fraction(float(v))) or abs(v) == float("inf")
            or isinstance(v, float) for v in values]
    if all(fits):
        assert all(a == b or b != b for a, b in zip(exact_array(values, "x").tolist(), values, strict=True))
    else:
        with pytest.raises(ValueError, match=rf"x\[{fits.index(False)}\] is .*not a float64"):
            exact_array(values, "x")


@pytest.mark.parametrize("held", [
    lambda values: torch.tensor(values, dtype=torch.bfloat16, requires_grad=True),
    lambda values: np.array(values, ml_dtypes.bfloat16),
    lambda values: np.array(values, ml_dtypes.float8_e5m2),
    lambda values: torch.tensor(values).to(torch.float8_e4m3fn),
    lambda values: np.array(values, np.longdouble),
], ids=["bfloat16 of torch", "bfloat16", "float8", "float8 of torch", "longdouble"])
def test_they_are_accepted_everywhere(held):
    def numbers(values):
        return np.asarray(values, np.float64)

    weights, biases, x, y = [[[1.0], [-1.5]], [[0.5, 2.0]]], [[0.25, 1.0], [-0.5]], [[0.5], [1.5]], [[1.0], [0.0]]
    net = ap.ReLUNetwork([held(a) for a in weights], [held(b) for b in biases])
    plain = ap.ReLUNetwork(weights, biases)
    assert net.astype(np.float64) == plain
    assert np.array_equal(net(held(x)), plain(x))
    assert np.array_equal(ap.round_to(held(x), ap.BFLOAT16), numbers(x))
    assert np.array_equal(ap.representable(held(x), ap.E5M2), [[True], [True]])
    assert np.array_equal(ap.matmul(held([[1.0, 2.0]]), held([[0.5], [3.0]]), ap.FLOAT16), [[6.5]])
    assert np.array_equal(ap.ExactArray.of(held(x)).to_float(), x)
    assert ap.gradients(net, held(x), held(y), ap.Exact()).loss == ap.gradients(plain, x, y, ap.Exact()).loss

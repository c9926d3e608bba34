"""Formats as values, and what is refused."""
import gfloat.formats
import numpy as np
import pytest
import torch

import affinepieces as ap

PEERS = {"float32": gfloat.formats.format_info_binary32, "float16": gfloat.formats.format_info_binary16,
         "bfloat16": gfloat.formats.format_info_bfloat16, "e4m3": gfloat.formats.format_info_ocp_e4m3,
         "e5m2": gfloat.formats.format_info_ocp_e5m2}


@pytest.mark.parametrize("fmt", [ap.FLOAT32, ap.FLOAT16, ap.BFLOAT16, ap.E4M3, ap.E5M2], ids=str)
def test_named_formats_are_those_of_gfloat(fmt):
    peer = PEERS[fmt.name]
    assert (fmt.precision, fmt.emax) == (peer.precision, peer.emax)
    assert (fmt.largest, fmt.smallest_normal, fmt.spacing) == (peer.max, peer.smallest_normal, peer.smallest_subnormal)


@pytest.mark.parametrize(("fmt", "dtype"), [(ap.FLOAT64, torch.float64), (ap.FLOAT32, torch.float32),
                                            (ap.FLOAT16, torch.float16), (ap.BFLOAT16, torch.bfloat16)], ids=str)
def test_named_formats_are_those_of_torch(fmt, dtype):
    info = torch.finfo(dtype)
    assert (fmt.largest, fmt.smallest_normal, 2 * fmt.unit_roundoff) == (info.max, info.tiny, info.eps)


def test_formats_are_values():
    assert ap.wide(53) == ap.FLOAT64
    assert ap.wide(8) == ap.wide(8) != ap.BFLOAT16
    assert ap.E4M3.with_overflow(ap.Overflow.SATURATE) != ap.E4M3
    with pytest.raises(AttributeError):
        ap.FLOAT16.precision = 12


@pytest.mark.parametrize(("arguments", "message"), [
    ({"precision": 1}, "precision is 1, expected an integer from 2 to 53"),
    ({"precision": 54}, "precision is 54"),
    ({"emin": -1023}, "emin is -1023, expected an integer from -1022 to 1023"),
    ({"emin": 16}, "emax is 15, expected an integer from 16 to 1023"),
    ({"emax": 1024}, "emax is 1024"),
    ({"precision": 53}, "cannot be held in float64"),
    ({"largest": 1e6}, "largest is 1000000.0, expected a number of 5 bits"),
    ({"largest": np.nan}, "largest is nan"),
    ({"largest": 2.0**15 + 1}, "expected a number of 5 bits"),
])
def test_nonsense_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ap.Format(**{"name": "odd", "precision": 5, "emin": -14, "emax": 15} | arguments)


@pytest.mark.parametrize(("arguments", "message"), [
    ({"precision": 8.0}, "precision is 8.0, expected an integer from 2 to 53"),
    ({"precision": True}, "precision is True, expected an integer"),
    ({"name": 5}, "name is 5, expected a str"),
    ({"subnormals": 1}, "subnormals is 1, expected a bool"),
    ({"overflow": "saturate"}, "overflow is 'saturate', expected Overflow.INFINITY, Overflow.SATURATE or")])
def test_wrong_kinds_are_refused(arguments, message):
    with pytest.raises(TypeError, match=message):
        ap.Format(**{"name": "odd", "precision": 5, "emin": -14, "emax": 15} | arguments)


@pytest.mark.parametrize(("fmt", "dtype", "size"), [(ap.FLOAT16, torch.float16, 16), (ap.BFLOAT16, torch.bfloat16, 16),
                                                    (ap.E4M3, torch.float8_e4m3fn, 8),
                                                    (ap.E5M2, torch.float8_e5m2, 8)], ids=str)
def test_bit_fields_are_those_of_memory(fmt, dtype, size):
    """All patterns of the 8-bit formats, every 37th of the others."""
    for pattern in range(0, 2**size, 1 if size == 8 else 37):
        raw = torch.tensor([pattern], dtype=torch.uint8 if size == 8 else torch.uint16).view(dtype)
        value = float(raw.double())
        if not np.isnan(value):
            assert "".join(ap.bit_fields(value, fmt)) == f"{pattern:0{size}b}"

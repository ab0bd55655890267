"""Compressed request bodies: every coding, one layer, within the limit, broken ones refused."""

import gzip
import zlib

import brotli
import pytest
import zstandard

from proxx.api.bodies import decoded
from proxx.gateway.errors import BadRequest, TooLarge, UnsupportedMedia

TEXT = b'{"model":"gpt-x","messages":[]}' * 200


def raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush()


def zstd_without_size(data: bytes) -> bytes:
    stream = zstandard.ZstdCompressor(write_content_size=False).compressobj()
    return stream.compress(data) + stream.flush()


CODINGS = [
    ("gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("zstd", zstandard.ZstdCompressor().compress),
    ("zstd", zstd_without_size),
    ("br", brotli.compress),
]


@pytest.mark.parametrize(("coding", "compress"), CODINGS)
def test_every_coding_is_undone(coding, compress):
    """D185."""
    assert decoded(compress(TEXT), coding) == TEXT
    assert decoded(compress(TEXT), f" {coding.upper()} ") == TEXT


@pytest.mark.parametrize(("coding", "compress"), CODINGS)
def test_a_body_that_breaks_off_is_refused(coding, compress):
    with pytest.raises(BadRequest):
        decoded(compress(TEXT)[:-12], coding)
    with pytest.raises(BadRequest):
        decoded(b"nothing of the kind", coding)


@pytest.mark.parametrize(("coding", "compress"), CODINGS)
def test_a_body_that_goes_on_behind_its_end_is_refused(coding, compress):
    for more in (b"trailer", compress(TEXT)):
        with pytest.raises(BadRequest):
            decoded(compress(TEXT) + more, coding)


@pytest.mark.parametrize(("coding", "compress"), CODINGS)
def test_a_small_body_that_grows_past_the_limit_is_refused(coding, compress, settings):
    settings.PROXY_BODY_LIMIT = 100_000
    with pytest.raises(TooLarge):
        decoded(compress(b" " * 50_000_000), coding)


@pytest.mark.parametrize("coding", ["gzip, zstd", "compress", "zip"])
def test_several_layers_and_unknown_codings_are_refused(coding):
    with pytest.raises(UnsupportedMedia):
        decoded(TEXT, coding)


def test_no_coding_is_no_work():
    assert decoded(TEXT, "identity") is TEXT

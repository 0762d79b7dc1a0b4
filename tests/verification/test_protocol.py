"""The digest of what all parties do the same way."""

from hashlib import sha256

from verification.protocol import protocol


def test_the_protocol_is_the_digest_of_its_measures():
    text = (
        '{"leaf":1024,"levels":2,"message_limit":96000,"prompt_chunk":128,'
        '"step":{"macs":200000,"sources":8,"words":1024},"version":1}'
    )
    assert protocol(128, 2, 96_000) == sha256(text.encode()).hexdigest()
    assert len({protocol(128, 2, 96_000), protocol(64, 2, 96_000), protocol(128, 1, 96_000), protocol(128, 2, 1)}) == 4

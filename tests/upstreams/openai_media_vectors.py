"""Made-up embeddings: the same text always has the same vector, of length one."""

import base64
import hashlib
import math
import random
import struct


def vector(text: str, dimensions: int) -> list[float]:
    """Return the vector of a text, in numbers that a float32 holds exactly."""
    chance = random.Random(hashlib.sha256(text.encode()).digest())
    numbers = [chance.uniform(-1, 1) for _ in range(dimensions)]
    length = math.sqrt(sum(number * number for number in numbers)) or 1.0
    packed = struct.pack(f"<{dimensions}f", *(number / length for number in numbers))
    return list(struct.unpack(f"<{dimensions}f", packed))


def as_base64(numbers: list[float]) -> str:
    """Return a vector as base64 of little-endian float32."""
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()

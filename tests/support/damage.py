"""Files damaged at random: a reader may say one line that names the file, and nothing else."""

import random
from pathlib import Path

from lpsnmr.errors import LpsnmrError

ODD = [b"nan", b"-", b"1e999", b" ", b"\n", b"\0", b"99999999999999999999"]


def damaged(rng: random.Random, text: bytes, most: int = 3) -> bytes:
    """Change, cut, double or move some bytes."""
    out = bytearray(text)
    for _ in range(rng.randint(1, most)):
        at = rng.randrange(max(len(out), 1))
        match rng.randrange(5):
            case 0:
                out[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                del out[at : at + rng.randint(1, 60)]
            case 2:
                out[at:at] = out[at : at + rng.randint(1, 60)]
            case 3:
                del out[at:]
            case 4:
                out[at : at + 1] = rng.choice(ODD)
    return bytes(out)


def is_refused(read, path: Path) -> bool:
    """Call ``read(path)``; return whether it raised, having checked how."""
    try:
        read(path)
    except LpsnmrError as error:
        message = str(error)
    else:
        return False
    if str(path) not in message or "\n" in message:
        raise AssertionError(f"expected one line that names {path}, got {message!r}")
    return True

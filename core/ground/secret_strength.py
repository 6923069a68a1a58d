"""Whether a secret is hard to guess: long, and neither repeated, nor a run, nor a usual word."""

LEAST_LENGTH = 16
MOST_LOOKED_AT = 256
LEAST_SIGNS = 8  # different ones; sixteen random hexadecimal digits have ten
LEAST_PIECES = 12  # of which no two follow from each other
LEAST_REPEATED, LEAST_RUN, MOST_STEP = 3, 4, 5
HOW = 'make one with: python -c "import secrets; print(secrets.token_urlsafe(48))"'
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm", "azertyuiop", "1234567890")
_WORDS = (
    "admin change default demo desk example key letmein login me order pass password please "
    "private production replace root secret secure session sign signing test this token to user "
    "welcome word your django here insecure long random server string very"
).split()
_USUAL = {  # words, and pieces of a keyboard's rows in either direction
    *_WORDS,
    *(
        turned[start:end]
        for row in _ROWS
        for turned in (row, row[::-1])
        for start in range(len(row))
        for end in range(start + LEAST_RUN, len(row) + 1)
    ),
}
LONGEST_USUAL = max(map(len, _USUAL))


def find_weakness(secret: str) -> str | None:
    """Say why a secret is easy to guess, in words that end a sentence; None where it is not."""
    if len(secret) < LEAST_LENGTH:
        return f"has fewer than {LEAST_LENGTH} characters"
    text = secret[:MOST_LOOKED_AT].casefold()
    if len(set(text)) < LEAST_SIGNS:
        return f"has fewer than {LEAST_SIGNS} different characters"
    # Also as it is read in steps: a1b2c3d4 is two runs.
    fewest = min(_pieces(_in_steps(text, step)) for step in range(1, MOST_STEP))
    if fewest < LEAST_PIECES:
        return "is made of repeated pieces, runs such as abcd or 1234, or usual words"
    return None


def _in_steps(text: str, step: int) -> str:
    return "".join(text[start::step] for start in range(step))


def _pieces(text: str) -> int:
    """Count what a text is made of: each repetition, run and word is one, as is any other sign."""
    count, place = 0, 0
    while place < len(text):
        place += max(1, _repeated(text, place), _run(text, place), _known(text, place))
        count += 1
    return count


def _repeated(text: str, place: int) -> int:
    """Return how much from a place on stood before, forwards or backwards."""
    length = 0
    before, mirrored = text[:place], text[:place][::-1]
    while place + length < len(text):
        piece = text[place : place + length + 1]
        if piece not in before and piece not in mirrored:
            break
        length += 1
    return length if length >= LEAST_REPEATED else 0


def _run(text: str, place: int) -> int:
    """Return how far signs from a place on follow each other at one distance: abcd, 9753, aaaa."""
    length = 2
    while place + length < len(text) and _step(text, place + length) == _step(text, place + 1):
        length += 1
    return length if length >= LEAST_RUN else 0


def _step(text: str, place: int) -> int:
    return ord(text[place]) - ord(text[place - 1])


def _known(text: str, place: int) -> int:
    """Return the length of the longest usual piece at a place."""
    longest = range(LONGEST_USUAL, 1, -1)
    return next((length for length in longest if text[place : place + length] in _USUAL), 0)

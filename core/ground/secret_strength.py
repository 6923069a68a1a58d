"""How hard a secret is to guess: it must be long, without repetitions, runs and common words."""

MIN_LENGTH = 16
MAX_CHECKED = 256
MIN_CHARACTERS = 8  # different ones; sixteen random hexadecimal digits have ten
MIN_PIECES = 12  # pieces that do not follow from each other
MIN_REPEATED, MIN_RUN, MAX_STEP = 3, 4, 5
HINT = 'make one with: python -c "import secrets; print(secrets.token_urlsafe(48))"'
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm", "azertyuiop", "1234567890")
_WORDS = (
    "admin change default demo desk example key letmein login me order pass password please "
    "private production replace root secret secure session sign signing test this token to user "
    "welcome word your django here insecure long random server string very"
).split()
_COMMON = {  # words, and parts of keyboard rows in both directions
    *_WORDS,
    *(
        line[start:end]
        for row in _ROWS
        for line in (row, row[::-1])
        for start in range(len(row))
        for end in range(start + MIN_RUN, len(row) + 1)
    ),
}
MAX_COMMON = max(map(len, _COMMON))


def find_weakness(secret: str) -> str | None:
    """Return why a secret is easy to guess, as the rest of a sentence; None if it is strong."""
    if len(secret) < MIN_LENGTH:
        return f"has fewer than {MIN_LENGTH} characters"
    text = secret[:MAX_CHECKED].casefold()
    if len(set(text)) < MIN_CHARACTERS:
        return f"has fewer than {MIN_CHARACTERS} different characters"
    # Every second to fourth character, too: a1b2c3d4 is two runs.
    fewest = min(_pieces(_in_steps(text, step)) for step in range(1, MAX_STEP))
    if fewest < MIN_PIECES:
        return "consists of repetitions, runs such as abcd or 1234, or common words"
    return None


def _in_steps(text: str, step: int) -> str:
    return "".join(text[start::step] for start in range(step))


def _pieces(text: str) -> int:
    """Count the pieces of a text: repetitions, runs, common words and other characters."""
    count, place = 0, 0
    while place < len(text):
        place += max(1, _repeated(text, place), _run(text, place), _known(text, place))
        count += 1
    return count


def _repeated(text: str, place: int) -> int:
    """Return the length of the text at a place that also occurs before, forwards or backwards."""
    length = 0
    before, mirrored = text[:place], text[:place][::-1]
    while place + length < len(text):
        piece = text[place : place + length + 1]
        if piece not in before and piece not in mirrored:
            break
        length += 1
    return length if length >= MIN_REPEATED else 0


def _run(text: str, place: int) -> int:
    """Return the length of the run at a place: characters in equal steps (abcd, 9753, aaaa)."""
    length = 2
    while place + length < len(text) and _step(text, place + length) == _step(text, place + 1):
        length += 1
    return length if length >= MIN_RUN else 0


def _step(text: str, place: int) -> int:
    return ord(text[place]) - ord(text[place - 1])


def _known(text: str, place: int) -> int:
    """Return the length of the longest common word at a place."""
    lengths = range(MAX_COMMON, 1, -1)
    return next((length for length in lengths if text[place : place + length] in _COMMON), 0)

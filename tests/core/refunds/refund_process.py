"""A process that requests refunds until it is killed; see tests.core.forks.

It prints each request before it is sent, and then the answer. Once that line is printed, the answer
counts as given.
"""

import json
import os
import random
import threading
import traceback
from dataclasses import asdict
from itertools import count

from sqlalchemy import select

from core import access, storage
from core.storage import OrderItem
from tests.core.refunds.refund_races import at_once, guarded, pick

THREADS = 4
_output = threading.Lock()


def main(seed: str) -> None:
    """Request refunds of random items from a few threads, without end."""
    actor = access.find_local_actor()
    assert actor is not None
    ask = guarded(actor)
    with storage.reading() as session:
        items = list(session.scalars(select(OrderItem.order_item_id)))

    def run(thread: int) -> None:
        chance = random.Random(f"{seed}-{thread}")
        for number in count():
            key, item_ids = f"{seed}-{thread}-{number}", pick(items, chance)
            say(asks=key, item_ids=item_ids)
            try:
                answer = ask(item_ids, key)
            except BaseException:
                traceback.print_exc()
                os._exit(1)  # else the other threads would continue and hide the error
            say(answered=key, answer=asdict(answer))

    at_once(THREADS, run)


def say(**what: object) -> None:
    """Write one whole line."""
    with _output:
        print(json.dumps(what), flush=True)

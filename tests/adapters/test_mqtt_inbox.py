"""What waits from the broker is handed over in portions that memory holds, in order and nothing twice."""

import pytest

from gateway.adapters.mqtt_inbox import BATCH_BYTES, Inbox
from gateway.core.values import Message


@pytest.mark.parametrize("size", [100, 64 * 1024, BATCH_BYTES + 1])
def test_large_messages_come_in_smaller_batches_and_all_of_them_come(size: int) -> None:
    inbox = Inbox()
    payload = b"x" * size
    sent = [Message(f"t/{number}", payload) for number in range(min(300, 2 + (40 << 20) // size))]
    inbox.items.extend(sent)
    inbox.receipts.extend(range(1, len(sent) + 1))
    inbox.post(len(sent), size * len(sent))
    taken: list[Message] = []
    receipts: list[int] = []
    while inbox.items:
        items, numbers = inbox.take(2_000)
        messages = [item for item in items if isinstance(item, Message)]
        assert len(messages) <= 1 or sum(len(one.payload) for one in messages) <= BATCH_BYTES
        assert len(items) == len(numbers) > 0
        taken += messages
        receipts += [number for number in numbers if number]
    assert taken == sent
    assert receipts == list(range(1, len(sent) + 1))
    assert not inbox.crowded

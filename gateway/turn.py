"""One turn of the loop while it is filled: inputs for the engine, and the journal entries that bring them back."""

from collections.abc import Sequence

from gateway.adapters.sql import journal
from gateway.adapters.sql.recorder import Bundle
from gateway.codecs.decoder import Decoder
from gateway.core.inputs import Configured, Input, Rejection, Telemetry
from gateway.core.values import Message, Millis
from gateway.jobs import Job, Work
from gateway.ports import Batch

NOTHING = Batch((), None)
NO_WORK = Work((), ())


class Turn:
    """Everything that is handled at one moment and committed at once.

    Args:
        at: the moment.
        set_aside: it does no more than put the message of an earlier turn into quarantine.
    """

    def __init__(self, at: Millis, *, set_aside: bool = False) -> None:
        self.at, self.set_aside = at, set_aside
        self.inputs: list[Input] = []
        self.entries: list[journal.Entry] = []
        self.begun: list[tuple[Job, Work]] = []
        self.batch = NOTHING

    @property
    def jobs(self) -> list[Job]:
        """Who waits for this turn."""
        return [job for job, _ in self.begun]

    @property
    def bundle(self) -> Bundle | None:
        """The configuration that comes into force with it, if one does."""
        return next((work.bundle for _, work in reversed(self.begun) if work.bundle is not None), None)

    def record(self, one: journal.Recorded) -> None:
        """An input that is journalled as it is."""
        self.inputs.append(one)
        self.entries.append(journal.entry(one))

    def begin(self, jobs: Sequence[Job], decoder: Decoder) -> Decoder:
        """Turn jobs into inputs; returns the decoder for what comes after them, as they may bring another plan."""
        self.begun = [(job, NO_WORK) for job in jobs]
        for number, job in enumerate(jobs):
            work = job.work(self.at, decoder)
            self.begun[number] = (job, work)
            self.inputs.extend(work.inputs)
            self.entries.extend(work.entries)
            for one in work.inputs:
                if isinstance(one, Configured):
                    decoder = decoder.anew(one.plan)
        return decoder

    def decode(self, message: Message, decoder: Decoder) -> None:
        """Turn a message into facts. One that holds nothing usable is journalled as its refusal, without payload."""
        facts = decoder.decode(message, self.at)
        self.inputs.extend(facts)
        if type(facts[0]) is Telemetry:
            self.entries.append((self.at, "message", message))
        elif not all(type(fact) is Rejection for fact in facts):
            self.entries.append(journal.message_entry(self.at, message, facts))
        else:
            self.entries.extend(journal.entry(fact) for fact in facts if isinstance(fact, Rejection))

"""The process of a backtest: ``python -m api.http.backtest_child``, started by :mod:`api.http.backtest_process`.

The live gateway neither waits for it nor shares its memory with it. It takes what others leave of the processor, is
the first to go where memory runs out, and ends with the gateway that started it.
"""

import contextlib
import os
import sys
import threading
from pathlib import Path

import sqlalchemy as sa

from api.http import backtest_messages as messages
from api.http.backtest_candidate import candidate_plan
from gateway.adapters.sql import schema
from gateway.adapters.sql.beside import beside
from gateway.collector import resting
from gateway.core.plan import SitePlan
from gateway.errors import DataDirError, GatewayError, Problem, SiteError
from gateway.site import SiteBundle, build_plan

NICE = 10
OOM_SCORE = 800
"""Of 1,000: chosen before the gateway when the machine runs out of memory."""
FAULTS_MOST = 50
"""Mistakes of a candidate that are told."""
WORDS_MOST = 2_000


def main() -> None:
    """Do what the first line of the standard input says, and say on the standard output how it goes."""
    order = messages.read_order(sys.stdin.buffer.readline())
    _stand_back()
    threading.Thread(target=_end_with_the_gateway, daemon=True).start()
    _tell(_answer(order))


def _stand_back() -> None:
    with contextlib.suppress(OSError):
        os.nice(NICE)  # what waits for the disk is ordered by it too
    with contextlib.suppress(OSError):  # there on Linux only
        Path("/proc/self/oom_score_adj").write_text(str(OOM_SCORE), "ascii")


def _end_with_the_gateway() -> None:
    """The standard input ends when whoever started this is gone, however that came."""
    os.read(0, 1)
    os._exit(1)


def _tell(answer: messages.Answer) -> None:
    sys.stdout.buffer.write(messages.encode(answer) + b"\n")
    sys.stdout.buffer.flush()


def _answer(order: messages.Order) -> messages.Answer:
    try:
        with beside(Path(order.data_dir)) as connection:
            plans = _plans(connection, order)
            if order.folder is None:
                return messages.Fine(plans[1].digest)
            from api.http.backtest_run import run  # noqa: PLC0415 - whoever waits for a look does not wait for it

            return run(connection, plans, Path(order.folder), order, _tell)
    except SiteError as error:
        return messages.Wrong([_fault(one) for one in error.problems[:FAULTS_MOST]])
    except GatewayError as error:
        return messages.Failed(str(error)[:WORDS_MOST])
    except OSError as error:
        return messages.Failed(f"the result cannot be written: {error.strerror}")


def _plans(connection: sa.Connection, order: messages.Order) -> tuple[SitePlan, SitePlan]:
    table = schema.config.c
    body = connection.scalar(sa.select(table.bundle).where(table.digest == order.now))
    if body is None:
        raise DataDirError("the text of the site in force is not on record")
    with resting():
        bundle = SiteBundle.decode(body)
        now = build_plan(bundle)
        return now, candidate_plan(bundle, now, order.files, order.wanted)


def _fault(problem: Problem) -> messages.Fault:
    return messages.Fault(problem.file, problem.line, problem.field[:200], problem.message[:WORDS_MOST])


if __name__ == "__main__":
    main()

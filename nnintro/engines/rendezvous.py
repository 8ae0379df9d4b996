"""How the processes of a training find each other: through a store at torchrun's address, within a minute."""

from __future__ import annotations

import contextlib
import secrets
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import torch
import torch.distributed as dist
from torch._C._distributed_c10d import PrefixStore, TCPStore

from nnintro.errors import UsageError
from nnintro.wording import listing

if TYPE_CHECKING:
    from nnintro.engines.world import World

SECONDS = 50.0
"""In which the processes have to come together; of a minute the rest is for what torch does on its own."""
CONNECTING = timedelta(seconds=30)
"""For one connection between two processes that have met."""
PATIENCE = timedelta(days=7)
"""For which a process waits for another one that measures, draws or saves: one that has ended is noticed at once."""
POLL_SECONDS = 0.01


@dataclass(frozen=True)
class Meeting:
    """Processes that are connected."""

    store: Any
    """Names and values that all processes see."""
    group: Any
    """What ``torch.distributed`` sends in: gloo between CPUs, nccl between GPUs; None in a world of one."""

    def close(self) -> None:
        """Let go of the connections; another process that waits for this one notices."""
        if self.group is not None:
            with contextlib.suppress(RuntimeError):  # the others are gone already
                dist.destroy_process_group()


def meet(world: World) -> Meeting:
    """Connect this process with the others.

    Raises:
        UsageError: the store cannot be reached, or a process is missing.
    """
    where = f"{world.address}:{world.port}"
    if dist.is_initialized():
        raise UsageError("torch.distributed is in use in this process already; train before it is, or after it")
    deadline = time.monotonic() + SECONDS
    try:
        store = TCPStore(
            world.address,
            world.port,
            is_master=world.is_main and not world.agent_holds_store,
            timeout=timedelta(seconds=SECONDS),
            wait_for_workers=False,
        )
        if world.size == 1:
            return Meeting(store, None)
        session = _session(world, store, deadline)
        _connect(world, PrefixStore(session, store))
        return Meeting(store, dist.new_group(timeout=PATIENCE))
    except (RuntimeError, ValueError) as error:
        with contextlib.suppress(RuntimeError, ValueError, AssertionError):
            dist.destroy_process_group()
        raise UsageError(f"process {world.rank} of {world.size} does not reach {where}: {_in_short(error)}") from error


def _in_short(error: Exception) -> str:
    """torch's reason, without the lines and the brackets in which it says where in its source that was."""
    first = next(iter(str(error).splitlines()), type(error).__name__)
    return first.split("] ", 1)[-1] if first.startswith("[") else first


def _connect(world: World, store: Any) -> None:
    """Make torch's default group; GPUs are connected when they first send something."""
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    dist.init_process_group(backend, store=store, rank=world.rank, world_size=world.size, timeout=CONNECTING)


def _session(world: World, store: Any, deadline: float) -> str:
    """A name that the processes of this start share, and no process that was killed before it.

    The store may outlive the processes, and torchrun's counts of restarts differ between hosts. So each process says
    hello with a token of its own, the first answers every token that it sees with the session's name, and all have come
    once each has used that name.
    """
    others = range(1, world.size)
    if not world.is_main:
        token = secrets.token_hex(8)
        store.set(f"nnintro/hello/{world.rank}", token)
        if not _wait(store, f"nnintro/answer/{token}", deadline):
            raise _missing(world, [0])
        session: str = store.get(f"nnintro/answer/{token}").decode()
        store.set(f"{session}/here/{world.rank}", "")
        return session
    session, answered = f"nnintro/session/{secrets.token_hex(8)}", set()
    missing = list(others)
    while missing:
        for rank in missing:
            hello = f"nnintro/hello/{rank}"
            if store.check([hello]) and (token := store.get(hello).decode()) not in answered:
                store.set(f"nnintro/answer/{token}", session)
                answered.add(token)
        missing = [rank for rank in missing if not store.check([f"{session}/here/{rank}"])]
        if missing and time.monotonic() > deadline:
            raise _missing(world, missing)
        time.sleep(POLL_SECONDS if missing else 0)
    return session


def _wait(store: Any, key: str, deadline: float) -> bool:
    """Whether the key is there before the deadline."""
    while not store.check([key]):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _missing(world: World, ranks: list[int]) -> UsageError:
    """Who did not come."""
    few = [str(rank) for rank in ranks[:5]]
    more = f" and {len(ranks) - 5} more" if len(ranks) > 5 else ""
    who = f"process {few[0]}" if len(ranks) == 1 else f"processes {listing(few)}{more}"
    return UsageError(
        f"{world.address}:{world.port}: {who} of {world.size} did not come within {SECONDS:.0f} s; start torchrun on "
        "every host with the same --nnodes, --nproc-per-node and address"
    )

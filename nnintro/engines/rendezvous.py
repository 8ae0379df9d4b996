"""How the processes of a training find each other: through a store at torchrun's address, within a minute."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import socket
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch._C._distributed_c10d import PrefixStore, TCPStore

from nnintro.errors import UsageError
from nnintro.wording import cause

SECONDS = 30.0
"""In which the processes have to come together; the rest of a minute is for loading torch, and for connecting."""
CONNECTING = timedelta(seconds=15)
"""For one connection between two processes that have met."""
PATIENCE = timedelta(days=7)
"""For which a process waits for another one that measures, draws or saves: one that has ended is noticed at once."""
POLL_SECONDS = 0.01
SIOCGIFADDR = 0x8915
"""Linux: asks for an interface's address."""


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


def meet(rank: int, size: int, host: str, port: int, *, is_held: bool) -> Meeting:
    """Connect process ``rank`` of ``size`` with the others.

    Args:
        host, port: where the store is.
        is_held: whether torchrun holds the store; the first process does otherwise.

    Raises:
        UsageError: the store cannot be reached, or a process is missing.
    """
    if dist.is_initialized():
        raise UsageError("torch.distributed is in use in this process already; train before it is, or after it")
    deadline = time.monotonic() + SECONDS
    hosts_store = rank == 0 and not is_held
    try:
        _reach(host, port, deadline, answers=not hosts_store)
        store = TCPStore(
            host,
            port,
            is_master=hosts_store,
            timeout=timedelta(seconds=max(deadline - time.monotonic(), 1)),
            wait_for_workers=False,
        )
        if size == 1:
            return Meeting(store, None)
        session = _meet_first(store, size, deadline) if rank == 0 else _meet_other(store, rank, deadline)
        _use_network_of(host, port)
        return Meeting(store, _connect(rank, size, PrefixStore(session, store)))
    except _MissingError as error:
        raise UsageError(
            f"{host}:{port}: {error} of {size} did not come within {SECONDS:.0f} s; start torchrun on every host with "
            "the same --nnodes, --nproc-per-node and address"
        ) from error
    except (RuntimeError, ValueError, OSError) as error:
        if dist.is_initialized():
            dist.destroy_process_group()
        raise UsageError(f"{host}:{port}: process {rank} of {size} is not connected: {_in_short(error)}") from error


def _in_short(error: Exception) -> str:
    """torch's reason, without the lines and the brackets in which it says where in its source that was."""
    if isinstance(error, OSError):
        return cause(error)
    first = next(iter(str(error).splitlines()), type(error).__name__)
    return first.split("] ", 1)[-1] if first.startswith("[") else first


def _reach(host: str, port: int, deadline: float, *, answers: bool) -> None:
    """Return once somebody ``answers`` there, if that is asked for; OSError with the reason where nobody does.

    torch itself tries for longer, and shows pages of its own source meanwhile.
    """
    socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    while answers:
        try:
            with socket.create_connection((host, port), timeout=CONNECTING.total_seconds()):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(10 * POLL_SECONDS)


class _MissingError(Exception):
    """These processes, in words, did not come."""


def _use_network_of(host: str, port: int) -> None:
    """Have gloo use the network on which this process reaches the store, unless the user names another.

    By itself it takes that of the host's own name, which on many machines is the loopback, where no other host is.
    """
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=5) as connection:
        own = connection.getsockname()[0]
        for _, name in socket.if_nameindex():
            if own == _address_of(name):
                os.environ.setdefault("GLOO_SOCKET_IFNAME", name)


def _address_of(interface: str) -> str | None:
    """The IPv4 address of a network interface; None where it has none."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        answer = fcntl.ioctl(asked, SIOCGIFADDR, interface.encode().ljust(40, b"\0"))
        return socket.inet_ntoa(answer[20:24])
    return None


def _connect(rank: int, size: int, store: Any) -> Any:
    """torch's group of all processes, for work that may take as long as it likes; GPUs connect when they first send.

    Raises:
        RuntimeError: it could not be made in time.
    """
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    made: list[Any] = []

    def connect() -> None:
        try:
            dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=CONNECTING)
            made.append(dist.new_group(timeout=PATIENCE))
        except RuntimeError as error:
            made.append(error)

    # In a thread that ends with the process: while another one does not answer, torch keeps to no limit of its own.
    connecting = threading.Thread(target=connect, daemon=True)
    connecting.start()
    connecting.join(CONNECTING.total_seconds())
    if not made:
        made.append(RuntimeError(f"another process does not answer within {CONNECTING.total_seconds():.0f} s"))
    if isinstance(made[0], RuntimeError):
        reason = _in_short(made[0])
        raise RuntimeError(f"{reason}; GLOO_SOCKET_IFNAME may name the network between the hosts") from made[0]
    return made[0]


def _meet_first(store: Any, size: int, deadline: float) -> str:
    """A name that the processes of this start share, and no process that was killed before it.

    The store may outlive the processes, and torchrun's counts of restarts differ between hosts. So each process says
    hello with a token of its own, the first answers every token that it sees with the session's name, and all have come
    once each has used that name.
    """
    session = f"nnintro/session/{secrets.token_hex(8)}"
    answered: set[str] = set()
    missing = list(range(1, size))
    while missing:
        for rank in missing:
            hello = f"nnintro/hello/{rank}"
            if store.check([hello]) and (token := store.get(hello).decode()) not in answered:
                store.set(f"nnintro/answer/{token}", session)
                answered.add(token)
        missing = [rank for rank in missing if not store.check([f"{session}/here/{rank}"])]
        if missing and time.monotonic() > deadline:
            raise _MissingError(_who(missing))
        time.sleep(POLL_SECONDS if missing else 0)
    return session


def _meet_other(store: Any, rank: int, deadline: float) -> str:
    """The same in another process than the first."""
    token = secrets.token_hex(8)
    store.set(f"nnintro/hello/{rank}", token)
    while not store.check([f"nnintro/answer/{token}"]):
        if time.monotonic() > deadline:
            raise _MissingError(_who([0]))
        time.sleep(POLL_SECONDS)
    session: str = store.get(f"nnintro/answer/{token}").decode()
    store.set(f"{session}/here/{rank}", "")
    return session


def _who(ranks: list[int]) -> str:
    """``process 1``, or ``processes 1, 2 and 3``; of many the first few."""
    few = [*map(str, ranks[:5]), *([f"{len(ranks) - 5} more"] if len(ranks) > 5 else [])]
    return f"{'process' if len(ranks) == 1 else 'processes'} {', '.join(few)}"

"""The processes of one training: torchrun's variables, and what the processes send each other.

Nobody else reads these variables. A training that was started without torchrun is ``ALONE``, a world of one process, in
which every method is the identity; ``torch.distributed`` is not even imported then.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, cast

from nnintro.errors import NnintroError, UsageError
from nnintro.wording import cause, shown

if TYPE_CHECKING:  # to read a config, or to refuse one, takes no torch
    from torch import Tensor

    from nnintro.engines.rendezvous import Meeting

T = TypeVar("T")
NEEDED = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
MOST_PROCESSES = 100_000
_TRAININGS = itertools.count(1)


class LostError(NnintroError):
    """Another process of the training is gone: it was killed, or ended in an error that it has reported itself."""


@dataclass(frozen=True)
class World:
    """The processes that share the updates of one training."""

    rank: int = 0
    """This process's number among them; the first one, 0, records."""
    size: int = 1
    local_rank: int | None = None
    """Its number on this host, and that of its GPU."""
    address: str = ""
    port: int = 0
    """Where the processes meet."""
    agent_holds_store: bool = False
    """Whether torchrun itself keeps the store in which they meet, which then outlives the processes."""
    meeting: Meeting | None = field(default=None, compare=False)
    """Their connection; None before they have met, and of a process without torchrun."""
    number: int = 0
    """Of this training among those that this process runs one after the other."""

    @classmethod
    def from_environment(cls, variables: Mapping[str, str] | None = None) -> World:
        """As torchrun says it in the environment; ``ALONE`` without it.

        Raises:
            UsageError: a variable is missing or has no such value.
        """
        variables = os.environ if variables is None else variables
        if not any(variables.get(name) for name in ("RANK", "WORLD_SIZE")):
            return ALONE
        try:
            return cls._read(variables)
        except UsageError as error:
            # Where the number is wrong itself, nobody else may be there to say so.
            error.reported = variables.get("RANK", "0") != "0" and not str(error).startswith("RANK:")
            raise

    @classmethod
    def _read(cls, variables: Mapping[str, str]) -> World:
        given = [name for name in NEEDED if variables.get(name)]
        for name in NEEDED:
            if name not in given:
                raise UsageError(
                    f"{name}: is not set, though {given[0]} is; torchrun sets all of {', '.join(NEEDED)}; to train in "
                    "one process, unset them"
                )
        size = _whole(variables, "WORLD_SIZE", 1, MOST_PROCESSES)
        rank = _whole(variables, "RANK", 0, size - 1)
        local = _whole(variables, "LOCAL_RANK", 0, size - 1) if variables.get("LOCAL_RANK") else None
        port = _whole(variables, "MASTER_PORT", 1, 65535)
        by_agent = variables.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
        # For torch, which is not loaded yet: of a connection that fails it shows pages of its source, and then raises.
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "FATAL")
        return cls(rank, size, local, variables["MASTER_ADDR"], port, by_agent)

    @property
    def is_main(self) -> bool:
        """Whether this process records the training."""
        return self.rank == 0

    def require_alone(self, what: str) -> None:
        """Raise UsageError, which the first process reports, where there are several processes."""
        if self.size > 1:
            error = UsageError(
                f"{what} in {self.size} processes: torchrun shares one training; start it without torchrun"
            )
            error.reported = not self.is_main
            raise error

    @contextlib.contextmanager
    def joined(self) -> Iterator[World]:
        """The world while its processes are connected.

        Raises:
            UsageError: they do not come together within a minute.
        """
        if not self.address:
            yield self
            return
        from nnintro.engines.rendezvous import meet

        try:
            meeting = meet(self.rank, self.size, self.address, self.port, is_held=self.agent_holds_store)
        except UsageError as error:
            # They do not hear of each other: the first on each host says so.
            error.reported = (self.rank if self.local_rank is None else self.local_rank) != 0
            raise
        world = World(
            self.rank, self.size, self.local_rank, self.address, self.port, self.agent_holds_store, meeting,
            next(_TRAININGS),
        )  # fmt: skip
        try:
            yield world
            world.everyone(None)  # nobody leaves while another one still listens
        finally:
            meeting.close()

    # --- what is known beyond a restart -------------------------------------------------------------

    def remember(self, run: str) -> None:
        """Note this training's run where torchrun's restarted processes find it."""
        if self.meeting is not None and self.agent_holds_store:
            self.meeting.store.set(f"nnintro/run/{self.number}", run)

    def remembered(self) -> str | None:
        """The run that this training had begun before torchrun restarted its processes."""
        key = f"nnintro/run/{self.number}"
        if self.meeting is None or not self.agent_holds_store or not self.meeting.store.check([key]):
            return None
        return cast(bytes, self.meeting.store.get(key)).decode()

    # --- what they send each other ------------------------------------------------------------------

    def from_main(self, act: Callable[[], T], sent: Callable[[T], Any] = lambda value: value) -> T:
        """What ``act`` gives in the first process, in every process; what it raises there is raised in all.

        Args:
            act: called in the first process alone.
            sent: what the others get in place of that, where it is something of one process alone.
        """
        if self.size == 1:
            return act()
        if not self.is_main:
            value, error = self._broadcast(None)
            if error is not None:
                raise error
            return cast(T, value)
        try:
            result = act()
        except BaseException as error:
            self._broadcast((None, _reported(error)))
            raise
        self._broadcast((sent(result), None))
        return result

    def _broadcast(self, value: Any) -> Any:
        import torch.distributed as dist

        values = [value]
        with self._connected() as group:
            dist.broadcast_object_list(values, src=0, group=group, device=_cpu())
        return values[0]

    @contextlib.contextmanager
    def agreeing(self) -> Iterator[None]:
        """Either every process gets through this block, or all raise; the first that has an error reports it."""
        if self.size == 1:
            yield
            return
        error: Exception | None = None
        try:
            yield
        except Exception as raised:
            error = raised
        errors = self.everyone(None if error is None else _reported(error))
        failed = [rank for rank, one in enumerate(errors) if one is not None]
        if not failed:
            return
        if isinstance(error, NnintroError):
            error.reported = error.reported or failed[0] != self.rank
        raise (errors[failed[0]] or LostError("another process ended")) if error is None else error

    def everyone(self, value: T) -> list[T]:
        """What each process has, in the order of their ranks."""
        if self.size == 1:
            return [value]
        import torch.distributed as dist

        values: list[Any] = [None] * self.size
        with self._connected() as group:
            dist.all_gather_object(values, value, group=group)
        return values

    def largest(self, number: int) -> int:
        """The largest of the numbers that the processes have."""
        if self.size == 1:
            return number
        import torch
        import torch.distributed as dist

        most = torch.tensor([number])
        with self._connected() as group:
            dist.all_reduce(most, dist.ReduceOp.MAX, group=group)
        return int(most)

    def all(self, fact: bool) -> bool:
        """Whether it is so in every process."""
        return self.largest(int(not fact)) == 0

    def add_up_(self, numbers: Tensor) -> Tensor:
        """The sum of the processes' tensors, in place, in each of them."""
        if self.size > 1:
            import torch.distributed as dist

            with self._connected() as group:
                dist.all_reduce(numbers, group=group)
        return numbers

    def copy_from_main_(self, tensors: Iterator[Tensor]) -> None:
        """Have in every process what the first has in these tensors."""
        if self.size > 1:
            import torch.distributed as dist

            with self._connected() as group:
                for tensor in tensors:
                    numbers = tensor.detach().contiguous()
                    dist.broadcast(numbers, src=0, group=group)
                    tensor.detach().copy_(numbers)

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Any]:
        """The group to send in; a connection that breaks is a LostError, which the first process reports."""
        assert self.meeting is not None, "the processes have not met"
        try:
            yield self.meeting.group
        except RuntimeError as error:
            lost = LostError(
                f"process {self.rank} of {self.size} has lost the others: {_first_line(error)}; the run goes on from "
                "its newest checkpoint with --resume, or by itself where torchrun restarts it (--max-restarts)"
            )
            lost.reported = not self.is_main
            raise lost from error


ALONE = World()
"""A training in one process."""


def _cpu() -> Any:
    import torch

    return torch.device("cpu")


def _whole(variables: Mapping[str, str], name: str, least: int, most: int) -> int:
    """A variable as a whole number; UsageError where it is none, or out of bounds."""
    text = variables[name]
    if text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most:
        return int(text)
    wanted = f"a whole number from {least} to {most}" if most > least else f"{least}"
    raise UsageError(f"{name}: expected {wanted}, got {shown(text)}")


def _reported(error: BaseException) -> NnintroError:
    """An error as the other processes raise it: without its causes, which may not be sendable, and not shown again."""
    if isinstance(error, NnintroError):
        # A class of ``errors``: what is derived from it elsewhere may want more than a message, and could not be sent.
        kind = next(kind for kind in type(error).__mro__ if kind.__module__ == NnintroError.__module__)
        copy: NnintroError = kind(str(error))
        copy.__dict__.update(error.__dict__)
    else:
        copy = LostError(f"another process ended: {cause(error) if isinstance(error, Exception) else 'interrupted'}")
    copy.reported = True
    return copy


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)

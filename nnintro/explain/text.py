"""The explanation as a blackboard has it: every formula, and below it its numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from nnintro.explain import blackboard
from nnintro.explain.blackboard import INDENT, WIDTH, Lines, beside, fitting, formula, matrix, number, paragraph
from nnintro.explain.check import TOLERANCE, Check
from nnintro.explain.equations import ACTIVATIONS, Array
from nnintro.explain.explain import Explanation
from nnintro.explain.update import Update
from nnintro.wording import counted

MOST_LAYERS = 3
"""Of more layers the first and the last are shown."""
MOST_SAMPLES = 3
"""Rows that are shown of many."""


@np.errstate(over="ignore", invalid="ignore")
def as_text(explanation: Explanation) -> str:
    """All updates, in at most 80 columns."""
    pairs = zip(explanation.updates, explanation.checks, strict=True)
    parts = [_Blackboard(explanation, update, check).lines() for update, check in pairs]
    rule = ["", "=" * WIDTH, ""]
    lines = [line for index, part in enumerate(parts) for line in (rule if index else []) + part]
    return "\n".join(line.rstrip() for line in lines)


class _Blackboard:
    """One update's text."""

    def __init__(self, explanation: Explanation, update: Update, check: Check) -> None:
        self.explanation, self.update, self.check = explanation, update, check
        self.subject = explanation.subject
        self.setup = explanation.subject.parts.setup
        depth, self.n = len(update.layers), len(update.rows)
        # A single layer needs no numbers; the outputs of the last are y, as in the lecture.
        tags = [str(number + 1) for number in range(depth)] if depth > 1 else [""]
        self.tags = tags
        self.outputs = [*(f"u{tag}" for tag in tags[:-1]), "y"]
        self.inputs = ["x", *self.outputs[:-1]]
        self.shown = range(depth) if depth <= MOST_LAYERS else (0, depth - 1)

    def lines(self) -> Lines:
        sections = (
            self._heading, self._network, self._samples, self._forward, self._loss, self._backward, self._step,
            self._checked,
        )  # fmt: skip
        return "\n\n".join("\n".join(section()) for section in sections).splitlines()

    def _s(self, index: int) -> str:
        """``tanh(z1)``, or ``z1`` itself."""
        s, z = self.update.layers[index].s, f"z{self.tags[index]}"
        return z if s == "identity" else f"{s}({z})"

    def _z(self, index: int) -> str:
        tag = self.tags[index]
        return f"{self.inputs[index]} W{tag}^T + b{tag}"

    def _in_layer(self, text: str, index: int) -> str:
        """A formula in z and u, in this layer's."""
        named = re.sub(r"\bz\b", f"z{self.tags[index]}", text)
        return re.sub(r"\bu\b", self.outputs[index], named)

    def _widths(self) -> list[int]:
        layers = self.update.layers
        return [layers[0].W.shape[1], *(len(layer.b) for layer in layers)]

    @property
    def _most(self) -> int:
        """Rows of samples that are shown."""
        return fitting(self.n, MOST_SAMPLES)

    def _below(self, left: str, values: Array, rows: int | None = None) -> Lines:
        """``= [ ... ]`` below a formula that begins with ``left =``."""
        return matrix(" " * len(left), values, rows)

    def _between(self) -> str:
        """In place of the layers that are not shown."""
        number = len(self.tags) - 2
        return f"{INDENT}... {counted(number, 'more layer')} between, of the same kind; --json has their numbers"

    # --- what there is ---------------------------------------------------------------------------

    def _heading(self) -> Iterator[str]:
        subject, update, plan = self.subject, self.update, self.subject.parts.plan
        begun = f"{subject.status} after {counted(subject.made, 'update')}"
        place = f"{subject.where}, {'as training begins' if subject.status is None else begun}"
        yield place if len(place) <= WIDTH else f"...{place[3 - WIDTH :]}"
        total, epoch = self.setup.total_updates, update.number // plan.updates_per_epoch + 1
        is_over = update.number >= total
        which = f"Update {update.number + 1:,}" + ("" if is_over else f" of {total:,}")
        if self.explanation.sample is None:
            which += f", in epoch {epoch:,}; {plan.variant}: {self.n:,} of {counted(plan.samples, 'training sample')}."
        else:
            which += f", made of training sample {update.rows[0]:,} alone."
        over = f" All {total:,} are made: this one would come next if training went on." if is_over else ""
        kind = str(next(subject.parts.network.parameters()).dtype).removeprefix("torch.")
        exact = f" All numbers are float64, from the {kind} parameters and samples, exactly converted."
        yield from paragraph(which + over + exact)

    def _network(self) -> Iterator[str]:
        yield f"THE NETWORK {' -> '.join(map(str, self._widths()))}"
        for index, layer in enumerate(self.update.layers):
            if index in self.shown:
                output, z = self.outputs[index], f"z{self.tags[index]} = {self._z(index)}"
                yield from formula(output, z if layer.s == "identity" else f"{self._s(index)},  {z}")
            elif index == 1:
                yield self._between()
        yield from paragraph("a row of W is a neuron; a row of x, z, u and y is a sample", INDENT)
        for index in self.shown:
            layer, tag = self.update.layers[index], self.tags[index]
            yield from beside(matrix(f"W{tag}", layer.W), matrix(f"b{tag}", layer.b))

    def _samples(self) -> Iterator[str]:
        rows, update = self.update.rows, self.update
        few = ", ".join(map(str, rows[: self._most]))
        if self.n == 1:
            yield f"THE SAMPLE: number {few}"
        else:
            yield f"THE SAMPLES, a row each: n = {self.n:,}, numbers {few}{', ...' if self._most < self.n else ''}"
        t = update.t[:, None] if update.t.ndim == 1 else update.t
        yield from beside(matrix("x", update.x, self._most), matrix("t", t, self._most))
        if self.subject.standardized != "none":
            what = "x and t are" if self.subject.standardized == "both" else "x is"
            yield from paragraph(f"{what} standardised, (raw - mean) / scale, as the network gets it.", INDENT)

    # --- forward ---------------------------------------------------------------------------------

    def _forward(self) -> Iterator[str]:
        yield "FORWARD, layer by layer"
        for index in self.shown:
            if index:
                yield "" if index - 1 in self.shown else self._between()
            passed, s, output = self.update.forward[index], self.update.layers[index].s, self.outputs[index]
            z = f"z{self.tags[index]}" if s != "identity" else f"{output} = z{self.tags[index]}"
            yield from formula(z, self._z(index))
            yield from self._below(z, passed.z, self._most)
            if s != "identity":
                known = ACTIVATIONS[s].formula == f"{s}(z)"
                meaning = "" if known else f" = {self._in_layer(ACTIVATIONS[s].formula, index)}"
                yield from formula(output, self._s(index) + meaning)
                yield from self._below(output, passed.u, self._most)

    def _loss(self) -> Iterator[str]:
        update, loss = self.update, self.update.loss
        each = loss.each(update.forward[-1].u, update.t)
        yield f"THE LOSS {self.setup.loss_name}"
        weight = "" if update.weights is None else "w_t * "
        yield from formula("l", weight + (f"({loss.formula})" if weight else loss.formula))
        for words in loss.words:
            yield from paragraph(f"where {words}", INDENT * 2)
        if update.weights is not None and self.subject.class_weights is not None:
            each = update.weights * each
            of_classes = ", ".join(map(number, self.subject.class_weights.tolist()))
            yield from paragraph(f"where w = ({of_classes}) is what a sample of each class counts", INDENT * 2)
        if each.size == 1:
            yield f"{INDENT}L = l = {number(update.L)}"
            return
        yield from matrix("l", each, self._most)
        yield f"{INDENT}L = (1/{each.size:,}) sum of all l = {number(update.L)}"

    # --- backward --------------------------------------------------------------------------------

    def _backward(self) -> Iterator[str]:
        yield "BACKWARD, by the chain rule from the last layer to the first; delta = dL/dz"
        last = len(self.tags) - 1
        for index in reversed(self.shown):
            if index < last:
                yield "" if index + 1 in self.shown else self._between()
            yield from self._slope_of_outputs() if index == last else self._handed_down(index)
            yield from self._delta(index)
            yield from self._gradient(index)

    def _slope_of_outputs(self) -> Iterator[str]:
        update = self.update
        size = update.loss.each(update.forward[-1].u, update.t).size
        weight = "" if update.weights is None else "w_t "
        is_mean = size > 1 or bool(weight)
        yield from formula("dl/dy" if is_mean else "dL/dy", update.loss.slope_formula)
        for words in update.loss.slope_words:
            yield from paragraph(f"where {words}", INDENT * 2)
        if is_mean:
            yield from formula("dL/dy", (f"(1/{size:,}) " if size > 1 else "") + f"{weight}dl/dy")
        yield from self._below("dL/dy", update.dL_dy, self._most)

    def _handed_down(self, index: int) -> Iterator[str]:
        behind, left = self.tags[index + 1], f"dL/d{self.outputs[index]}"
        yield from formula(left, f"delta{behind} W{behind}")
        dL_du = self.update.backward[index + 1].delta @ self.update.layers[index + 1].W
        yield from self._below(left, dL_du, self._most)

    def _delta(self, index: int) -> Iterator[str]:
        tag, s, output = self.tags[index], self.update.layers[index].s, self.outputs[index]
        left, slope = f"delta{tag}", f"{s}'(z{tag})"
        if s == "identity":
            yield from formula(left, f"dL/d{output}, for {output} = z{tag}")
            return
        yield from formula(slope, self._in_layer(ACTIVATIONS[s].slope_formula, index))
        yield from self._below(slope, self.update.forward[index].slope, self._most)
        yield from formula(left, f"dL/d{output} * {slope}, number by number")
        yield from self._below(left, self.update.backward[index].delta, self._most)

    def _gradient(self, index: int) -> Iterator[str]:
        found, tag = self.update.backward[index], self.tags[index]
        sums = f"delta{tag}" if self.n == 1 else f"the sum of delta{tag}'s rows"
        yield from formula(f"dW{tag}", f"delta{tag}^T {self.inputs[index]}")
        yield from self._below(f"dW{tag}", found.dW)
        yield from formula(f"db{tag}", sums)
        yield from self._below(f"db{tag}", found.db)

    # --- the update ------------------------------------------------------------------------------

    def _step(self) -> Iterator[str]:
        update, step = self.update, self.update.step
        yield f"THE UPDATE {step.descent.optimizer.kind}, eta = {number(step.eta)}"
        yield f"{INDENT}for every number w of W and b, with g its number of dW and db"
        if step.descent.clip_norm is not None:
            yield from paragraph(
                f"|g| = {number(update.gradient_norm)} over all of them; clip_norm {number(step.descent.clip_norm)} "
                f"makes it g <- {number(update.factor)} g", INDENT
            )  # fmt: skip
        for equation in step.equations:
            yield f"{INDENT}{equation}"
        if any("^t" in equation for equation in step.equations):
            yield f"{INDENT}t = {step.t:,}"
        for index in self.shown:
            yield ""
            yield from self._moved(index)

    def _moved(self, index: int) -> Iterator[str]:
        """A table of a layer's W and b: before, gradient, memories, after."""
        update, step, layer = self.update, self.update.step, self.update.layers[index]
        is_changed = update.factor != 1 or (step.decay > 0 and step.rule.has_penalty)
        letters = [step.rule.letters[name] for name in update.memories[0]]
        header = ["", "w", "dL/dw", *(["g"] if is_changed else []), *letters, "w after"]
        names, parts = [], []
        for at, name in enumerate(("W", "b")):
            before, after = getattr(layer, name), getattr(update.after[index], name)
            gradient = getattr(update.backward[index], f"d{name}")
            g = [step.penalized(before, update.factor * gradient)] if is_changed else []
            memories = update.memories_after[2 * index + at].values()
            shown = fitting(before.size)
            places = [np.unravel_index(place, before.shape) for place in range(shown)]
            names += [f"{name}{self.tags[index]}[{','.join(str(i + 1) for i in place)}]" for place in places]
            parts.append([values.ravel()[:shown] for values in (before, gradient, *g, *memories, after)])
        lines = blackboard.table(header, names, [np.concatenate(column) for column in zip(*parts, strict=True)])
        end = 1 + len(parts[0][0])
        yield from [*lines[:end], *_rest(layer.W.size, end - 1), *lines[end:]]
        yield from _rest(layer.b.size, len(parts[1][0]))

    def _checked(self) -> Iterator[str]:
        check = self.check
        yield "THE CHECK"
        verdict = "equal" if check.is_close else "NOT EQUAL, do not trust these numbers"
        if check.holds and not check.is_close:
            verdict = f"equal but for rounding, {check.of_terms:.2g} of the much larger numbers that cancel there"
        yield from paragraph(
            "torch.autograd on the same rows, and torch.optim on the same gradients, in float64: the largest "
            f"difference is {check.difference:.2g}, in {check.where}; {TOLERANCE:g} is allowed: {verdict}.", INDENT
        )  # fmt: skip


def _rest(count: int, shown: int) -> Lines:
    return [f"{INDENT * 2}... {count - shown:,} more"] if shown < count else []

"""The explanation as a blackboard has it: every formula, and below it its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from nnintro.explain import blackboard
from nnintro.explain.blackboard import (
    INDENT,
    WIDTH,
    Lines,
    beside,
    equation,
    fitting,
    formula,
    matrix,
    number,
    paragraph,
)
from nnintro.explain.check import TOLERANCE, Check
from nnintro.explain.equations import ACTIVATIONS
from nnintro.explain.explain import Explanation
from nnintro.explain.notation import Notation
from nnintro.explain.update import Update
from nnintro.wording import counted


@np.errstate(over="ignore", invalid="ignore")
def as_text(explanation: Explanation) -> str:
    """All updates, in at most 80 columns."""
    pairs = zip(explanation.updates, explanation.checks, strict=True)
    parts = [_Blackboard(explanation, update, check).lines() for update, check in pairs]
    rule = ["", "=" * WIDTH, ""]
    lines = [line for index, part in enumerate(parts) for line in (rule if index else []) + part]
    return "\n".join(line.rstrip() for line in lines)


class _Blackboard(Notation):
    """One update's text."""

    def __init__(self, explanation: Explanation, update: Update, check: Check) -> None:
        super().__init__(update)
        self.explanation, self.check = explanation, check
        self.subject = explanation.subject
        self.setup = explanation.subject.parts.setup

    def lines(self) -> Lines:
        sections = (
            self._heading, self._network, self._samples, self._forward, self._loss, self._backward, self._step,
            self._checked,
        )  # fmt: skip
        return "\n\n".join("\n".join(section()) for section in sections).splitlines()

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
            which += f", in epoch {epoch:,}; {plan.variant}: {self.n:,} of {counted(plan.samples, 'training sample')}"
            # Added up as training does, block by block, the sum is the same but for its rounding.
            blocks = f", which training walks in blocks of {plan.batch_size:,}, each counting its share of the mean"
            which += (blocks if plan.blocks_per_update > 1 else "") + "."
        else:
            which += f", made of training sample {update.rows[0]:,} alone."
        over = f" All {total:,} are made: this one would come next if training went on." if is_over else ""
        kind = str(next(subject.parts.network.parameters()).dtype).removeprefix("torch.")
        exact = f" All numbers are float64, from the {kind} parameters and samples, exactly converted."
        yield from paragraph(which + over + exact)

    def _network(self) -> Iterator[str]:
        yield f"THE NETWORK {self.widths()}"
        for index in self.shown:
            if index and index - 1 not in self.shown:
                yield self.gap(index - 1)
            output, z, s = self.outputs[index], f"z{self.tags[index]} = {self.z(index)}", self.update.layers[index].s
            yield from formula(output, z if s == "identity" else f"{self.s(index)},  {z}")
        yield f"{INDENT}a row of W is a neuron; a row of x, z, u and y is a sample"
        for index in self.shown:
            layer, tag = self.update.layers[index], self.tags[index]
            yield from beside(matrix(f"W{tag}", layer.W), matrix(f"b{tag}", layer.b))

    def _samples(self) -> Iterator[str]:
        rows, update = self.update.rows, self.update
        few = ", ".join(map(str, rows[: self.most]))
        if self.n == 1:
            yield f"THE SAMPLE: number {few}"
        else:
            yield f"THE SAMPLES, a row each: n = {self.n:,}, numbers {few}{', ...' if self.most < self.n else ''}"
        t = update.t[:, None] if update.t.ndim == 1 else update.t
        yield from beside(matrix("x", update.x, self.most), matrix("t", t, self.most))
        if self.setup.basis:
            functions = ", ".join(map(str, self.setup.basis))
            yield from paragraph(f"x holds the basis functions {functions}.", INDENT)
        if self.subject.standardized != "none":
            what = "x and t are" if self.subject.standardized == "both" else "x is"
            yield from paragraph(f"{what} standardised, (raw - mean) / scale, as the network gets it.", INDENT)

    # --- forward ---------------------------------------------------------------------------------

    def _forward(self) -> Iterator[str]:
        yield "FORWARD, layer by layer"
        for index in self.shown:
            if index:
                yield self.gap(index - 1)
            passed, output, z = self.update.forward[index], self.outputs[index], f"z{self.tags[index]}"
            if self.update.layers[index].s == "identity":
                yield from equation(f"{output} = {z}", self.z(index), passed.z, self.most)
            else:
                yield from equation(z, self.z(index), passed.z, self.most)
                yield from equation(output, self.s_explained(index), passed.u, self.most)

    def _loss(self) -> Iterator[str]:
        update, loss, of_classes = self.update, self.update.loss, self.subject.class_weights
        y, t = update.forward[-1].u, update.t
        each = loss.each(y, t)
        yield f"THE LOSS {self.setup.loss_name}"
        for given in loss.given:
            yield from equation(given.left, given.right, given.value(y, t), self.most)
        if update.weights is not None and of_classes is not None:
            each = update.weights * each
            few = fitting(len(of_classes))
            weights = ", ".join([*map(number, of_classes[:few].tolist()), *(["..."] if few < len(of_classes) else [])])
            yield from paragraph(f"w = ({weights}), what a sample of each class counts", INDENT)
        left = "L = l" if each.size == 1 else "l"
        yield from equation(
            left, loss.formula if update.weights is None else f"w_t * ({loss.formula})", each, self.most
        )
        if each.size > 1:
            yield f"{INDENT}L = (1/{each.size:,}) sum of all l = {number(update.L)}"

    # --- backward --------------------------------------------------------------------------------

    def _backward(self) -> Iterator[str]:
        yield "BACKWARD, by the chain rule from the last layer to the first; delta = dL/dz"
        for index in reversed(self.shown):
            if index < self.last:
                yield self.gap(index + 1)
            yield from self._slope_of_outputs() if index == self.last else self._handed_down(index)
            yield from self._delta(index)
            yield from self._gradient(index)

    def _slope_of_outputs(self) -> Iterator[str]:
        update, loss = self.update, self.update.loss
        size = loss.each(update.forward[-1].u, update.t).size
        factors = [*([f"(1/{size:,})"] if size > 1 else []), *(["w_t"] if update.weights is not None else [])]
        if not factors:
            yield from equation("dL/dy", loss.slope_formula, update.dL_dy)
            yield from _where(loss.slope_words)
            return
        yield from formula("dl/dy", loss.slope_formula)
        yield from _where(loss.slope_words)
        yield from equation("dL/dy", " ".join([*factors, "dl/dy"]), update.dL_dy, self.most)

    def _handed_down(self, index: int) -> Iterator[str]:
        behind, update = self.tags[index + 1], self.update
        dL_du = update.backward[index + 1].delta @ update.layers[index + 1].W
        yield from equation(f"dL/d{self.outputs[index]}", f"delta{behind} W{behind}", dL_du, self.most)

    def _delta(self, index: int) -> Iterator[str]:
        tag, s, dL_du = self.tags[index], self.update.layers[index].s, f"dL/d{self.outputs[index]}"
        if s == "identity":
            yield from formula(f"delta{tag}", f"{dL_du}, for {self.outputs[index]} = z{tag}")
            return
        slope, derivative = f"{s}'(z{tag})", self.in_layer(ACTIVATIONS[s].slope_formula, index)
        yield from equation(slope, derivative, self.update.forward[index].slope, self.most)
        delta = self.update.backward[index].delta
        yield from equation(f"delta{tag}", f"{dL_du} * {slope}, number by number", delta, self.most)

    def _gradient(self, index: int) -> Iterator[str]:
        found, tag = self.update.backward[index], self.tags[index]
        yield from equation(f"dW{tag}", f"delta{tag}^T {self.inputs[index]}", found.dW)
        sums = f"delta{tag}" if self.n == 1 else f"the sum of delta{tag}'s rows"
        yield from equation(f"db{tag}", sums, found.db)

    # --- the update ------------------------------------------------------------------------------

    def _step(self) -> Iterator[str]:
        update, step = self.update, self.update.step
        yield f"THE UPDATE {step.descent.optimizer.kind}, eta = {number(step.eta)}"
        yield f"{INDENT}for every number w of W and b, with g = dL/dw its number of dW and db"
        if step.descent.clip_norm is not None:
            yield from paragraph(
                f"|g| = {number(update.gradient_norm)} over all of them; clip_norm {number(step.descent.clip_norm)} "
                f"makes it g <- {number(update.factor)} g", INDENT
            )  # fmt: skip
        yield from (f"{INDENT}{line}" for line in step.equations)
        if any("^t" in line for line in step.equations):
            yield f"{INDENT}t = {step.t:,}"
        for index in self.shown:
            yield ""
            yield from self._moved(index)

    def _moved(self, index: int) -> Iterator[str]:
        """A table of a layer's W and b: before, gradient, memories, after."""
        update, step, layer = self.update, self.update.step, self.update.layers[index]
        is_changed = update.factor != 1 or (step.decay > 0 and step.rule.has_penalty)
        letters = [step.rule.letters[name] for name in update.memories[0]]
        header = ["", "w", *(["dL/dw", "g"] if is_changed else ["g"]), *letters, "w after"]
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
        where = f", in {check.where}" if check.difference else ""
        verdict = "equal" if check.is_close else "NOT EQUAL, do not trust these numbers"
        if check.holds and not check.is_close:
            verdict = f"equal but for rounding, {check.of_terms:.2g} of the much larger numbers that cancel there"
        yield from paragraph(
            "torch.autograd on the same rows, and torch.optim on the same gradients, in float64: the largest "
            f"difference is {check.difference:.2g}{where}; {TOLERANCE:g} is allowed: {verdict}.", INDENT
        )  # fmt: skip


def _where(words: Sequence[str]) -> Lines:
    return [line for each in words for line in paragraph(f"where {each}", INDENT * 2)]


def _rest(count: int, shown: int) -> Lines:
    return [f"{INDENT * 2}... {count - shown:,} more"] if shown < count else []

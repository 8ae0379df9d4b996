"""Report every error in a config's values, each once, at its position.

pydantic does not look into a section whose kind it cannot read, and the rules between sections
need values of the right types. So each mistake is mended in a copy of the tree as the message
suggests (or its key taken out and marked as broken), and the copy is looked at again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from nnintro.config.experiment import Experiment
from nnintro.config.parse import messages as words
from nnintro.config.parse.nodes import Entry, Finding, Keys, Node, Place, child, copied, descend, find, plain
from nnintro.config.parse.vocabulary import Slot, below, kind_of, slot_at, walk
from nnintro.wording import nearest

MOST_PASSES = 8
BEHIND_ALL = 1 << 62
"""The rank of a place behind all others."""
MOST_EXPLAINED = 500
"""Findings beyond it are only counted: a flood of them is cut short, and explaining takes time."""
PLACEHOLDERS: dict[Keys, dict[str, str] | str] = {
    ("dataset",): {"kind": "function", "formula": "x"},
    ("dataset", "formula"): "x",
    ("dataset", "name"): "iris",
    ("dataset", "path"): "data.csv",
    ("dataset", "target"): "y",
    ("model",): {"kind": "mlp"},
    ("model", "kind"): "mlp",
}
"""Replaces a required key that is broken, so that the rest can still be checked."""
TAKEN_OUT_WITH: dict[Keys, Keys] = {("sweep", "over"): ("sweep",)}
"""A required key of a section that need not be there -> that section."""


class Diagnosis:
    """Looks at a tree until nothing new is found.

    ``findings`` is what was found, ``root`` the mended tree, and ``broken`` the keys whose value
    there is not what the user wrote, nor what was most probably meant.

    Args:
        laid_over: keys of values that are to take the place of others: what they misspell may well be there.
    """

    def __init__(self, root: Node, laid_over: Collection[Keys] = ()) -> None:
        self.root = copied(root)
        self.seen = self.root
        self.findings: list[Finding] = []
        self.broken: set[Keys] = set()
        self.taken_out: list[Keys] = []
        self._laid_over = laid_over

    def experiment(self) -> Experiment | None:
        """The experiment that was meant, as far as it is clear; None if too little is."""
        for _ in range(MOST_PASSES):
            # Mending removes what later errors of the same pass point at.
            self.seen = copied(self.root)
            try:
                return Experiment.model_validate(plain(self.root))
            except ValidationError as failure:
                errors = failure.errors(include_url=False)
            # Misspelt keys first: a key that is missing may be there under another name.
            errors.sort(key=lambda error: error["type"] != "extra_forbidden")
            for error in errors:
                self.look_at(error)
            self.take_out()
        return None

    def look_at(self, error: ErrorDetails) -> None:
        keys, slot = walk(error["loc"])
        if self.is_reported(keys):
            self.break_off(keys)
            return
        if len(self.findings) >= MOST_EXPLAINED:
            # Behind those that are explained, which are more than are listed.
            self.findings.append(Finding(Place(self.root.place.file, rank=BEHIND_ALL), keys, "wrong"))
            self.break_off(keys)
            return
        match error["type"]:
            case "extra_forbidden":
                self.unknown_key(keys)
            case "missing":
                self.missing_key(keys)
            case "union_tag_not_found" | "union_tag_invalid":
                self.wrong_kind(keys, slot)
            case "model_type" | "model_attributes_type" | "dict_type" if slot.sections:
                self.report(keys, words.no_section(slot, error["input"]))
                self.break_off(keys)
            case _:
                self.wrong_value(error, keys)

    def is_reported(self, keys: Keys) -> bool:
        """Whether a value was refused already, here or above."""
        return any(
            node is not None and node.refused
            for depth in range(len(keys) + 1)
            for node in [descend(self.seen, keys[:depth])]
        )

    def report(self, keys: Keys, message: str, *, of_key: bool = False) -> None:
        place = find(self.seen, keys, of_key=of_key)
        self.findings.append(Finding(place, keys, message))

    def unknown_key(self, keys: Keys) -> None:
        *above, key = keys
        section = self.section(tuple(above))
        if section is None:
            return
        entry = section.content.pop(key)
        slot, family = self.chosen(tuple(above), section)
        present = () if keys in self._laid_over else section.content
        text, meant = words.unknown_key(str(key), slot, family, present)
        self.findings.append(Finding(entry.place, keys, text))
        if meant:
            section.content[meant] = entry

    def chosen(self, keys: Keys, section: Node) -> tuple[Slot, Slot]:
        """The section under ``keys``, and all sections that are allowed there."""
        family = own = slot_at(keys)
        above = self.section(keys[:-1]) if keys else None
        if above is not None:  # on whose kind it may depend what is allowed
            own = below(self.chosen(keys[:-1], above)[0], keys[-1])
        kind = child(section, "kind")
        names = [kind.content] if kind and kind.content in own.kinds else own.kinds
        sections = tuple(s for s in own.sections if not names or kind_of(s) in names)
        return replace(own, sections=sections), family

    def missing_key(self, keys: Keys) -> None:
        section = self.section(keys[:-1])
        if section is None or keys[-1] in section.content:
            return  # mended a moment ago
        if not section.incomplete and not self.is_broken(keys):
            self.report(keys, words.missing(keys))
        self.break_off(keys)

    def wrong_kind(self, keys: Keys, slot: Slot) -> None:
        section = descend(self.root, keys)
        if section is None:
            return
        if isinstance(section.content, str):  # `optimizer: adm`
            self.wrong_name(section, keys, slot, keys)
        elif (kind := child(section, "kind")) is not None:
            self.wrong_name(kind, (*keys, "kind"), slot, keys)
        elif not self.misspelt_kind(section, keys, slot):
            if not section.incomplete:
                self.report((*keys, "kind"), words.missing((*keys, "kind")))
            self.break_off(keys)

    def wrong_name(self, node: Node, keys: Keys, slot: Slot, whole: Keys) -> None:
        """A name that is not a kind; where no kind is near, ``whole`` is broken off."""
        value = plain(node)
        if not self.is_reported(keys):
            self.report(keys, words.wrong_kind(value, slot))
        meant = nearest(value, slot.kinds) if isinstance(value, str) else None
        if meant:
            node.content = meant
        else:
            self.break_off(whole)

    def misspelt_kind(self, section: Node, keys: Keys, slot: Slot) -> bool:
        for key in section.content:
            if key not in slot.keys and nearest(key, ["kind"]):
                self.report((*keys, key), "unknown key; did you mean 'kind'?", of_key=True)
                section.content["kind"] = section.content.pop(key)
                return True
        return False

    def wrong_value(self, error: ErrorDetails, keys: Keys) -> None:
        # What is left of a mapping without its broken entries may be too few: no news.
        few = error["type"] == "too_short"
        if not few or not any(broken[: len(keys)] == keys for broken in self.broken):
            self.report(keys, words.message(error, keys))
        node = descend(self.root, keys)
        names = words.expected_names(error)
        meant = nearest(error["input"], names) if isinstance(error["input"], str) else None
        if meant and node is not None:
            node.content = meant
        else:
            self.break_off(keys)

    def is_broken(self, keys: Keys) -> bool:
        return any(keys[: len(broken)] == broken for broken in self.broken)

    def break_off(self, keys: Keys) -> None:
        """Take a key out of the tree, once all problems beside it are reported."""
        self.taken_out.append(keys)

    def take_out(self) -> None:
        for keys in self.taken_out:
            self.remove(keys)
        self.taken_out.clear()

    def remove(self, keys: Keys) -> None:
        """Of a list the whole, since its length means something."""
        named = keys[: next((i for i, key in enumerate(keys) if isinstance(key, int)), len(keys))]
        self.broken.add(named)
        named = TAKEN_OUT_WITH.get(named, named)
        section = self.section(named[:-1])
        if section is None or not named:
            return
        section.content.pop(named[-1], None)
        if named in PLACEHOLDERS:
            place = section.place
            section.content[named[-1]] = Entry(place, _standing_in(PLACEHOLDERS[named], place))

    def section(self, keys: Keys) -> Node | None:
        node = descend(self.root, keys)
        return node if node is not None and isinstance(node.content, dict) else None


def _standing_in(value: dict[str, str] | str, place: Place) -> Node:
    if isinstance(value, str):
        return Node(value, place)
    return Node({key: Entry(place, Node(text, place)) for key, text in value.items()}, place)

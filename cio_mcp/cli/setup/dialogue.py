"""Asking a person at a terminal, or nobody."""

import getpass
import sys
from collections.abc import Mapping
from typing import Protocol


class DialogueStop(Exception):
    """Somebody who was asked would not go on."""


class Dialogue(Protocol):
    """Says and asks; where `asks` is false every answer is the default."""

    asks: bool

    def say(self, text: str) -> None:
        """Show a text."""

    def ask(self, question: str, default: str = "", *, hidden: bool = False) -> str:
        """Return the answer to a question; what is typed to a hidden one is not shown."""


class Terminal:
    """A person at a terminal."""

    asks = True

    def say(self, text: str) -> None:
        """Show a text."""
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def ask(self, question: str, default: str = "", *, hidden: bool = False) -> str:
        """Return the answer to a question; the default of a hidden one is not shown either."""
        shown = f" [{'as it is' if hidden else default}]" if default else ""
        prompt = f"{question}{shown}: "
        return (getpass.getpass(prompt) if hidden else input(prompt)).strip() or default


class NoDialogue:
    """Nobody: a script."""

    asks = False

    def say(self, text: str) -> None:
        """Show a text."""
        sys.stdout.write(f"{text}\n")

    def ask(self, question: str, default: str = "", *, hidden: bool = False) -> str:  # noqa: ARG002
        """Return the default."""
        return default


def choose(talk: Dialogue, question: str, options: Mapping[str, str], default: str) -> str:
    """Return one of the options, by its name or number; asks again for anything else."""
    if not talk.asks:
        return default
    names = list(options)
    space = max(map(len, names))
    lines = [
        f"  {number:>2}  {name:<{space}}  {told if told != name else ''}".rstrip()
        for number, (name, told) in enumerate(options.items(), 1)
    ]
    talk.say("\n".join(("", question, *lines)))
    while True:
        answer = talk.ask("Number or name", default).lower()
        if answer in options:
            return answer
        if answer.isdecimal() and 1 <= int(answer) <= len(names):
            return names[int(answer) - 1]
        talk.say(f"{answer}: choose one of {', '.join(names)}, or its number.")


def agree(talk: Dialogue, question: str) -> bool:
    """Say whether the answer is yes, which it is by default."""
    while (answer := talk.ask(f"{question} yes or no", "yes").lower()) not in {"y", "yes", "n", "no"}:
        talk.say(f"{answer}: answer yes or no.")
    return answer.startswith("y")

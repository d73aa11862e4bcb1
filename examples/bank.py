"""A session at a small bank, whose rules are handlers.

    python examples/bank.py examples/session.txt --ledger ledger.json --credit ann=50
    python examples/bank.py examples/session.txt --ledger ledger.json --dry-run

`session` only opens accounts, moves money and asks for balances. Who may overdraw, what is written to the audit log,
where balances are kept, and whether anything is kept at all, is said by the handlers around it, each in a few lines and
in any combination.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Generator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from segue import Delegate, Effect, Err, Get, Handler, Modify, Ok, Put, Tell, Try, answers, do, run, state, writer


class BankError(Exception):
    """The bank refuses; the session goes on."""


class CommandError(Exception):
    """The session is not written in the bank's language."""


# The effects. Amounts are in the smallest unit of the currency.


class Open(Effect[None]):
    """Open an account with some money in it."""

    account: str
    amount: int


class Balance(Effect[int]):
    """What is in an account."""

    account: str


class Move(Effect[None]):
    """Move money from one account to another."""

    source: str
    target: str
    amount: int


# The programs.


@do
def command(line: str) -> Generator[Open | Balance | Move, Any, str]:
    """Carry out one line of a session; what the bank says to it."""
    match line.split():
        case ["open", account, amount] if amount.isdecimal():
            yield from Open(account, int(amount))
            return f"{account} is open"
        case ["balance", account]:
            balance = yield from Balance(account)
            return f"{account} has {balance}"
        case ["transfer", source, target, amount] if amount.isdecimal():
            yield from Move(source, target, int(amount))
            return f"{amount} from {source} to {target}"
        case _:
            raise CommandError(f"not a command: {line!r}")


@do
def session(lines: Iterable[str]) -> Generator[Any, Any, list[str]]:
    """Carry out the lines of a session. A refusal is an answer; anything else ends the session."""
    said: list[str] = []
    for line in lines:
        if not line.strip() or line.startswith("#"):
            continue
        match (yield from Try(command(line))):
            case Ok(answer):
                said.append(answer)
            case Err(BankError() as refusal):
                said.append(f"refused: {refusal}")
            case Err(error):
                raise error
    return said


# The rules.


def overdraft(credit: Mapping[str, int]) -> Handler[Move]:
    """Refuses what would take an account below its credit, which is nothing for accounts not named."""

    @answers(Move)
    def rule(effect: Move) -> Generator[Any, Any, None]:
        balance = yield from Balance(effect.source)
        if balance - effect.amount < -credit.get(effect.source, 0):
            raise BankError(f"{effect.source} has only {balance}")
        yield from Delegate()

    return rule


@answers(Open, Move)
def audited(effect: Open | Move) -> Generator[Any, Any, None]:
    """Tells the writer what was asked for, and whether it was done."""
    try:
        yield from Delegate()
    except BankError as error:
        yield from Tell(f"{effect!r}: {error}")
        raise
    yield from Tell(f"{effect!r}: done")


class DryRun(Handler):
    """Answers as if everything were done, and passes nothing on but questions."""

    def enter(self) -> None:
        """Nothing has changed yet."""
        self.opened: set[str] = set()
        self.changes: dict[str, int] = {}

    @answers(Balance)
    def balance(self, effect: Balance) -> Generator[Any, Any, int]:
        """The real balance and what would have changed."""
        real = 0 if effect.account in self.opened else (yield from Delegate())
        return real + self.changes.get(effect.account, 0)

    @answers(Open)
    def open(self, effect: Open) -> Generator[Any, Any, None]:
        """Open it for the time of the dry run."""
        outcome = yield from Try(Balance(effect.account))
        if outcome.is_ok() or effect.account in self.opened:
            raise BankError(f"{effect.account} is open already")
        self.opened.add(effect.account)
        self.changes[effect.account] = effect.amount

    @answers(Move)
    def move(self, effect: Move) -> Generator[Any, Any, None]:
        """Note what would change; the accounts must exist."""
        for account in (effect.source, effect.target):
            if account not in self.opened:
                yield from Balance(account)
        for account, amount in ((effect.source, -effect.amount), (effect.target, effect.amount)):
            self.changes[account] = self.changes.get(account, 0) + amount


# Where balances are kept.


class Ledger(Handler):
    """Keeps the balances in a JSON file, which is replaced when the block ended well and left alone when it did not."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def enter(self) -> None:
        """Read the file; there may be none yet."""
        self.balances: dict[str, int] = {}
        if self.path.exists():
            self.balances = json.loads(self.path.read_text(encoding="utf-8"))
        self.written = dict(self.balances)

    def result(self, value: object) -> object:
        """Replace the file in one step, when there is something new to write."""
        if self.balances == self.written:
            return value
        draft = self.path.with_name(self.path.name + ".new")
        draft.write_text(json.dumps(self.balances, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        draft.replace(self.path)
        return value

    def known(self, account: str) -> int:
        """The balance of an account that exists."""
        try:
            return self.balances[account]
        except KeyError:
            raise BankError(f"there is no account {account}") from None

    @answers(Open)
    def open(self, effect: Open) -> None:
        """Add an account."""
        if effect.account in self.balances:
            raise BankError(f"{effect.account} is open already")
        self.balances[effect.account] = effect.amount

    @answers(Balance)
    def balance(self, effect: Balance) -> int:
        """Look it up."""
        return self.known(effect.account)

    @answers(Move)
    def move(self, effect: Move) -> None:
        """Change both accounts, or neither."""
        source, _target = self.known(effect.source), self.known(effect.target)
        self.balances[effect.source] = source - effect.amount
        self.balances[effect.target] += effect.amount


@do
def kept(account: str) -> Generator[Any, Any, int]:
    """The balance in the state; a missing key is a missing account."""
    try:
        balance: int = yield from Get(account)
    except KeyError:
        raise BankError(f"there is no account {account}") from None
    return balance


class InState(Handler):
    """Keeps the balances in the built-in state, one key an account: a handler written with other effects."""

    @answers(Balance)
    def balance(self, effect: Balance) -> Generator[Any, Any, int]:
        """Look it up."""
        return (yield from kept(effect.account))

    @answers(Open)
    def open(self, effect: Open) -> Generator[Any, Any, None]:
        """Put the first amount."""
        outcome = yield from Try(Get(effect.account))
        if outcome.is_ok():
            raise BankError(f"{effect.account} is open already")
        yield from Put(effect.account, effect.amount)

    @answers(Move)
    def move(self, effect: Move) -> Generator[Any, Any, None]:
        """Change both accounts, or neither."""
        source = yield from kept(effect.source)
        yield from kept(effect.target)
        yield from Put(effect.source, source - effect.amount)
        yield from Modify(effect.target, lambda balance: balance + effect.amount)


def on_disk(ledger: str | Path) -> list[Handler[Any]]:
    """The handlers that keep balances in a file."""
    return [writer, Ledger(ledger)]


def in_memory() -> list[Handler[Any]]:
    """The handlers that keep balances in the run; `raw_store` of its result shows them."""
    return [state, writer, InState()]


# The command.


def credit_of(items: Iterable[str]) -> dict[str, int]:
    """`name=amount` items as a mapping."""
    return {name: int(amount) for name, _, amount in (item.partition("=") for item in items)}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 0 when it worked."""
    parser = argparse.ArgumentParser(description="Carry out a session at a small bank.")
    parser.add_argument("session", help="a file of commands: open NAME AMOUNT, transfer FROM TO AMOUNT, balance NAME")
    parser.add_argument("--ledger", default="ledger.json", help="where balances are kept (default: %(default)s)")
    parser.add_argument("--credit", action="append", default=[], metavar="NAME=AMOUNT", help="who may overdraw")
    parser.add_argument("--dry-run", action="store_true", help="say what would happen, change nothing")
    options = parser.parse_args(arguments)

    lines = Path(options.session).read_text(encoding="utf-8").splitlines()
    handlers = on_disk(options.ledger)
    if options.dry_run:
        handlers.append(DryRun())
    done = run(session(lines), handlers=[*handlers, overdraft(credit_of(options.credit)), audited])
    print("audit:", *done.log, sep="\n  ")
    if done.is_err():
        print(f"{parser.prog}: {done.error}", file=sys.stderr)
        return 1
    print("session:", *done.value, sep="\n  ")
    return 0


if __name__ == "__main__":
    sys.exit(main())

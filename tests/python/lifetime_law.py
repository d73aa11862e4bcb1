"""What the law says of each case of the lifetime matrix: the log, the outcome, and what stays unobserved.

The laws are those of `specs/laws-continuations.md` and of `specs/ends.md`. Nothing is run here: the layers that are in
scope are walked from inside to outside, as a reader of the laws would.
"""

from __future__ import annotations

from lifetimes import NOBODY, OWNER, Layer, Raised, layers

# The ways in which a clause leaves its `k` to others.
KEPT = (
    "dropped",
    "stored",
    "discontinued later",
    "foreign: nested run",
    "foreign: thread",
    "foreign: finished run",
    "clause interrupted",
    "program fails",
    "program interrupted",
)
WAYS = ("abandoned", "discontinued", *KEPT)

# What each body's clean-up comes to.
BODIES = {
    "plain": Raised("Discontinued"),
    "catches": "survived",
    "raises": Raised("ValueError"),
    "interrupted": Raised("KeyboardInterrupt"),
    "signalled": Raised("KeyboardInterrupt"),
}
INTERRUPT = Raised("KeyboardInterrupt")


def is_exception(outcome):
    return isinstance(outcome, Raised) and outcome.name in {"ValueError", "LookupError"}


class Law:
    """What has to be seen of a case."""

    def __init__(self, way, body, inside, outside):
        self.way, self.body, self.inside, self.outside = way, body, inside, outside
        self.log, self.unobserved = [], []
        self.outcome = self.program()

    # Scope

    def served(self, effect, scope, *, by=None):
        """L2: region by region outward, the interceptors see it, then a handler accepts it; a wall stops it."""
        region = []
        for layer in (*scope, Layer("root", "root")):
            region.append(layer)
            if layer.kind not in {"seal", "root"}:
                continue
            self.log += [(seen.name, "sees", effect) for seen in region if seen.kind == "interceptor"]
            accepting = [one.name for one in region if one.kind == ("handler" if effect == "Clean" else by)]
            if accepting:
                return accepting[0]
            if layer.kind == "seal" and effect == "Clean":
                break
            region = []
        return NOBODY

    def cleaned(self, *mark, scope):
        self.log.append((*mark, self.served("Clean", scope)))

    def left(self, chain, around, outcome):
        """Each layer of the chain is left, the innermost first; its `exit` is served by what is outside of it."""
        for i, layer in enumerate(chain):
            match layer.kind:
                case "handler" | "owner":
                    if is_exception(outcome):
                        self.log.append((layer.name, "error", outcome.name))
                    elif not isinstance(outcome, Raised) and layer.kind == "handler":
                        self.log.append((layer.name, "result", outcome))
                    self.cleaned(layer.name, "exit", scope=(*chain[i + 1 :], *around))
                case "try" if is_exception(outcome):
                    outcome = ("Err", outcome.name)
                case "try" if not isinstance(outcome, Raised):
                    outcome = ("Ok", outcome)
        return outcome

    def entered(self, chain):
        self.log += [(layer.name, "enter") for layer in reversed(chain) if layer.kind in {"handler", "owner"}]

    # Unwinding

    def unwound(self, around):
        """L3.18, L3.19: `Discontinued` at the perform; effects are served inside `k` first, then around the place.

        A value and `Discontinued` itself are swallowed; what else comes of it leaves the unwinding.
        """
        chain = (*self.inside, OWNER)
        if self.body == "signalled":
            self.log.append(("cleaned", None))  # Ctrl-C arrives at the yield: nothing is performed
        else:
            self.cleaned("caught" if self.body == "catches" else "cleaned", scope=(*chain, *around))
        if self.body == "interrupted":
            # Served by the handler around the body: seen by the interceptors up to the first wall.
            self.served("Leave", (Layer("leaves", "leaves"), *chain, *around), by="leaves")
        self.cleaned("outer", scope=(*chain, *around))
        outcome = self.left(chain, around, BODIES[self.body])
        return outcome if isinstance(outcome, Raised) and outcome.name != "Discontinued" else None

    def unwound_at_the_root(self):
        """L3.12, L3.13: with the handlers inside `k` only; an `Exception` is unobserved, any other error goes on."""
        failed = self.unwound(())
        if failed and is_exception(failed):
            self.unobserved.append(failed.name)
            return None
        return failed

    # The program

    def block(self):
        """What the `WithHandler`s outside of the clause come to."""
        self.entered((*self.inside, OWNER, *self.outside))
        self.served("Ping", (*self.inside, OWNER, *self.outside), by="owner")
        outcome = "clause"
        if self.way == "abandoned":  # L3.9: before the clause's value is delivered
            self.log.append(("clause done",))
            outcome = self.unwound(self.outside) or outcome
        elif self.way == "discontinued":  # L3.11: at the yield of the clause
            outcome = self.unwound(self.outside) or outcome
            self.log.append(("clause done",))
        else:  # L3.10
            self.log.append(("clause done",))
            outcome = INTERRUPT if self.way == "clause interrupted" else outcome
        return self.left(self.outside, (), outcome)

    def later(self):
        """What interrupts the program after its block, if anything does."""
        match self.way:
            case "dropped":
                return self.unwound_at_the_root()
            case "discontinued later":
                place = layers("place", [layer.kind for layer in self.outside])
                self.entered(place)
                outcome = self.left(place, (), self.unwound(place))
                if not isinstance(outcome, Raised):
                    self.log.append(("discontinued", outcome))
                return outcome
            case "foreign: nested run" | "foreign: thread":
                self.log += [("refused", "ContinuationError", True)] * 2  # L3.6
            case "program fails":
                return Raised("LookupError")
            case "program interrupted":
                return INTERRUPT
        return None

    def program(self):
        outcome = self.block()
        if not isinstance(outcome, Raised):
            self.log.append(("block", outcome))
            outcome = self.later()
            if not isinstance(outcome, Raised):
                self.log.append(("end",))
                outcome = None
        self.cleaned("program done", scope=())
        if self.way in KEPT and self.way not in {"dropped", "discontinued later"}:
            outcome = self.unwound_at_the_root() or outcome  # L3.15: after the root, whatever it came to
        if self.way == "foreign: finished run":
            self.log += [("refused", "ContinuationError", True)] * 2
        return outcome

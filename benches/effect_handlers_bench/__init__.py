"""The field's own suite, effect-handlers-bench: eleven programs, each as a user of Segue writes it, and thrice more.

A folder is a program; its docstring says what it does. In it are four modules with one function `main(n)` each, and
all four come to the same:

- `with_segue`: Segue's public interface.
- `machine`: the same effects and clauses on the generic machine in plain Python, `benches/peers/machine.py`.
- `by_hand`: a generator and the loop that drives it, written for this program only.
- `plain`: Python without effects.

Beside them are `with_<peer>`, as users of other libraries write it (`peers.py` says why a library cannot), and
`program.ml`, in OCaml 5.

`cases.json` holds the inputs and outputs of the suite (github.com/effect-handlers/effect-handlers-bench, commit
255d299), and the inputs that are timed here, with how many operations each of them is.

Three programs of the suite use a continuation more than once. Continuations are one-shot here, and generators can be
gone through once anyway, so all versions but the plain one *replay*: the program is run again for each way through it,
and a handler answers the choices that were made before (`paths.py`).
"""

"""Which yields of a generator function are in tail position: `return (yield X)`, outside `try` and `with`.

Read from the bytecode, once for each code object. A yield is in tail position when what follows it only returns what it
gives (loops that the return leaves drop their iterators), and no exception-table entry covers it but the one that turns
`StopIteration` into `RuntimeError`, which every generator has from 3.12 on. Whatever is not understood is not in tail
position, which costs memory and nothing else.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from types import CodeType
    from typing import Final

_KEPT: Final = 4096
"""Code objects whose answer is kept."""
_kept: dict[CodeType, tuple[frozenset[int], bool]] = {}
_reader: list[Callable[[CodeType], tuple[frozenset[int], bool]] | None] = []


def tail_offsets(code: CodeType, /) -> frozenset[int] | None:
    """Find the yields in tail position.

    Args:
        code: The code of a generator function.

    Returns:
        Their offsets, as a suspended generator's `gi_frame.f_lasti` gives them; None when this interpreter's
        bytecode is not understood.

    Example:
        >>> from segue._tail import tail_offsets
        >>> def clause(effect, k):
        ...     return (yield effect)
        >>> len(tail_offsets(clause.__code__))
        1
    """
    found = _read(code)
    return None if found is None else found[0]


def all_tail(code: CodeType, /) -> bool:
    """Whether there are yields, and each of them is in tail position.

    Args:
        code: The code of a generator function.

    Returns:
        True when to yield is always to finish.

    Example:
        >>> from segue._tail import all_tail
        >>> def clause(effect, k):
        ...     yield effect
        ...     return (yield k)
        >>> all_tail(clause.__code__)
        False
    """
    found = _read(code)
    return found is not None and found[1]


def _read(code: CodeType) -> tuple[frozenset[int], bool] | None:
    found = _kept.get(code)
    if found is None:
        if not _reader:
            _reader.append(_make_reader())
        read = _reader[0]
        if read is None:
            return None
        if len(_kept) >= _KEPT:
            _kept.clear()
        found = _kept[code] = read(code)
    return found


def _sample() -> Generator[None]:
    """The form that is looked for: with it the reader is tried, and its offsets are set right."""
    return (yield)


def _make_reader() -> Callable[[CodeType], tuple[frozenset[int], bool]] | None:
    """The reader for this interpreter, or nothing if it does not understand even the sample."""
    import opcode  # noqa: PLC0415 - only handlers written as generators need it

    names = dict(enumerate(opcode.opname))
    # From 3.13 on a suspended frame points behind its yield.
    generator = _sample()
    next(generator)
    last: int = getattr(generator, "gi_frame").f_lasti  # noqa: B009 - typed as any generator, which has none
    generator.close()
    yields = [offset for offset, name, _ in _instructions(_sample.__code__, names) if name == "YIELD_VALUE"]
    if len(yields) != 1 or _finishes(_sample.__code__, names) != {yields[0]}:
        return None
    behind = last - yields[0]

    def read(code: CodeType) -> tuple[frozenset[int], bool]:
        every = {offset for offset, name, _ in _instructions(code, names) if name == "YIELD_VALUE"}
        finishes = _finishes(code, names)
        return frozenset(offset + behind for offset in finishes), bool(every) and finishes == every

    return read


def _finishes(code: CodeType, names: dict[int, str]) -> set[int]:
    """The offsets of the yields after which the function only returns what they gave."""
    instructions = [found for found in _instructions(code, names) if found[1] not in _FILLERS]
    place = {offset: index for index, (offset, _, _) in enumerate(instructions)}
    covered = _covered(code, names)
    return {
        offset
        for index, (offset, name, _) in enumerate(instructions)
        if name == "YIELD_VALUE" and offset not in covered and _returns(instructions, place, index + 1)
    }


_FILLERS: Final = {"CACHE", "NOP", "EXTENDED_ARG"}


def _returns(instructions: list[tuple[int, str, int]], place: dict[int, int], index: int) -> bool:
    """Whether from there on the value on top of the stack is returned and nothing else is done."""
    if index >= len(instructions) or instructions[index][1] != "RESUME":
        return False
    index += 1
    # Each round goes forward, so the end of the code ends the loop.
    while index < len(instructions):
        offset, name, argument = instructions[index]
        if name == "RETURN_VALUE":
            return True
        if name == "JUMP_FORWARD":
            index = place.get(offset + 2 + 2 * argument, len(instructions))
        elif (name, argument) == ("SWAP", 2) and instructions[index + 1 : index + 2][0][1] == "POP_TOP":
            index += 2
        else:
            return False
    return False


def _instructions(code: CodeType, names: dict[int, str]) -> Iterator[tuple[int, str, int]]:
    """Offset, name and argument of each instruction."""
    extended = 0
    units = code.co_code
    for offset in range(0, len(units), 2):
        name = names.get(units[offset], "")
        argument = extended << 8 | units[offset + 1]
        extended = argument if name == "EXTENDED_ARG" else 0
        yield offset, name, argument


def _covered(code: CodeType, names: dict[int, str]) -> set[int]:
    """The offsets inside `try` and `with`: those with an exception-table entry that runs code of the user's."""
    offsets: set[int] = set()
    units = code.co_code
    for start, length, target in _entries(code.co_exceptiontable):
        if names.get(units[target]) != "CALL_INTRINSIC_1" or units[target + 1] != _STOP_ITERATION_ERROR:
            offsets.update(range(start, start + length, 2))
    return offsets


_STOP_ITERATION_ERROR: Final = 3
"""The intrinsic of the entry that every generator has."""


def _entries(table: bytes) -> Iterator[tuple[int, int, int]]:
    """Start, length and target of each entry, in bytes: four numbers of six bits a byte, the highest first."""
    numbers: list[int] = []
    number = 0
    for byte in table:
        number = number << 6 | byte & 0x3F
        if not byte & 0x40:
            numbers.append(number)
            number = 0
    for index in range(0, len(numbers) - 3, 4):
        start, length, target = numbers[index : index + 3]
        yield 2 * start, 2 * length, 2 * target

"""Effect classes: their constructors, their fields, and what `yield from` makes of their result types."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, ClassVar, Generic, TypeVar, assert_type

from segue import Ask, Effect, Get, Key, Modify, Put, Tell, Try, do
from segue._vm import Err, Ok

T = TypeVar("T")
N: Key[int] = Key("n")
NAME: Key[str] = Key("name")


class Ping(Effect[int]):
    n: int = 0


class Fetch(Effect[bytes]):
    limit: ClassVar[int] = 3
    url: str
    retries: int = 0


class Retry(Fetch):
    delay: float = 1.0


class Query(Effect[T], Generic[T]):
    key: Key[T]


# Fields are parameters, by position and keyword, with their defaults; inherited ones come first.
Fetch("a", retries=2)
Retry("a", 1, 0.5)
assert_type(Fetch("a").url, str)
assert_type(Retry("a").retries, int)
Fetch()  # type: ignore[call-arg]
Fetch(1)  # type: ignore[arg-type]
Fetch("a", 1, 2)  # type: ignore[call-arg]
Fetch("a", tries=1)  # type: ignore[call-arg]

# Frozen.
Fetch("a").url = "b"  # type: ignore[misc]

# Patterns know the fields.
match Fetch("a"):
    case Fetch(url, retries):
        assert_type(url, str)
        assert_type(retries, int)

# Keys type what is stored.
Put(N, 1)
Put(N, "one")  # checkers fall back to an untyped key: a key is a string as well
Modify(N, lambda n: n + 1)


@do
def results() -> Generator[Any, Any, None]:
    assert_type((yield from Ping(1)), int)
    assert_type((yield from Fetch("a")), bytes)
    assert_type((yield from Retry("a")), bytes)
    assert_type((yield from Query(N)), int)
    assert_type((yield from Query(NAME)), str)
    assert_type((yield from Get(N)), int)
    assert_type((yield from Get("n")), Any)
    assert_type((yield from Ask(NAME)), str)
    assert_type((yield from Put(N, 1)), None)
    assert_type((yield from Tell("hi")), None)
    assert_type((yield from Ping().map(str)), str)
    assert_type((yield from Ping().flat_map(lambda n: Fetch(str(n)))), bytes)
    assert_type((yield from Try(Ping())), Ok[int] | Err)


# What a program may perform is what it says.
@do
def honest() -> Generator[Ping | Tell, Any, str]:
    yield from Tell("hi")
    return str((yield from Ping(1)))


@do
def dishonest() -> Generator[Ping, Any, None]:
    yield from Tell("hi")  # type: ignore[misc]
    yield Tell("hi")  # type: ignore[misc]


class Login(Effect[bool], hidden="password"):
    user: str
    password: str


class LoginWithToken(Login, hidden=["token"]):
    token: str = ""


assert_type(LoginWithToken("ada", "swordfish", "t").password, str)

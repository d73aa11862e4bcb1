"""Two clauses that resume with a variable. What follows runs inside of the clause, so each effect nests deeper."""

from aleff.oneshot import create_handler, effect

get, put = effect("get"), effect("put")


def countdown():
    while n := get():
        put(n - 1)
    return n


def main(n):
    cell = n
    handler = create_handler(get, put)

    @handler.on(get)
    def _get(k):
        return k(cell)

    @handler.on(put)
    def _put(k, value):
        nonlocal cell
        cell = value
        return k(None)

    return handler(countdown)

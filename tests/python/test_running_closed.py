"""Semantics 5: a coroutine that is closed closes its machine, and what still waits in it is told so."""

from segue import PythonAsyncSyntaxEscape, RunClosedError, async_run, do


class Waits:
    """An awaitable that stays suspended."""

    def __await__(self):
        yield


def suspended(program):
    coroutine = async_run(program)
    coroutine.send(None)
    return coroutine


def test_closed_coroutine_runs_the_clean_up_of_its_program():
    log = []

    @do
    def program():
        try:
            yield PythonAsyncSyntaxEscape(Waits)
        finally:
            log.append("closed")

    suspended(program()).close()
    assert log == ["closed"]


def test_clean_up_that_awaits_is_an_error_at_its_yield():
    log = []

    @do
    def program():
        try:
            yield PythonAsyncSyntaxEscape(Waits)
        finally:
            try:
                yield PythonAsyncSyntaxEscape(Waits)
            except RunClosedError as error:
                log.append(str(error))

    suspended(program()).close()
    assert log == ["the run is being closed: nothing can wait in it any more"]

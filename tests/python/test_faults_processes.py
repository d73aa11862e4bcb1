"""Semantics 5: forks and subinterpreters (T-rows). In child processes, for what goes wrong there hangs or kills."""

import sys
import textwrap

import pytest

from child import run_child

PRELUDE = """
import os, pickle, signal, sys, threading, warnings
from segue import *

# From 3.12 on a fork beside threads is warned of: it is what is tested here.
warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
signal.signal(signal.SIGINT, signal.default_int_handler)


class Ping(Effect[int]):
    n: int = 0


@answers(Ping)
def echo(e):
    return e.n


@do
def pings(count):
    total = 0
    for n in range(count):
        total += yield Ping(n)
    return total


def forked(child):
    '''What `child()` gives in a child of a fork, which does nothing else.'''
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            said = ("ok", child())
        except BaseException as e:
            said = ("raised", repr(e))
        os.write(writing, pickle.dumps(said))
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:
        said = pickle.load(pipe)
    assert os.waitpid(pid, 0)[1] == 0
    return said
"""


def process(source, seconds=60):
    return run_child(PRELUDE + textwrap.dedent(source), seconds=seconds).ok()


# Forks. The child is a copy: what was going on in the thread that forked goes on there.


def test_t114_fork_in_a_clause_goes_on_in_both_processes():
    process("""
        log = []

        @answers(Ping)
        def forks(e):
            log.append(os.fork())
            return log[-1] == 0

        @do
        def program():
            try:
                in_child = yield Ping()
                yield Put("n", (yield Get("n")) + in_child + 1)
            finally:
                log.append("finally")
            return in_child

        result = run(program(), handlers=[state({"n": 0}), forks])
        in_child = log[0] == 0
        assert result.value == in_child and result.raw_store == {"n": in_child + 1} and log[1:] == ["finally"]
        assert run(pings(10), handlers=[echo]).value == 45
        if in_child:
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(log[0], 0)[1]) == 7
    """)


def test_t115_fork_between_two_steps_and_beside_a_kept_continuation():
    process("""
        kept, log = [], []

        @handles(Ping)
        def keeps(e, k):
            kept.append(k.keep())
            return "kept"

        @do
        def guarded():
            try:
                return (yield Ping())
            finally:
                log.append("finally")

        vm = PyVM()
        vm.start_program(pings(3), handlers=[echo])
        vm.step_once()

        def rest():
            while (event := vm.step_once()) == ("continue",):
                pass
            return event

        @do
        def program():
            first = yield keeps(guarded())
            said = forked(lambda: (rest(), run(Pure(1)).value))
            assert said == ("ok", (("done", 3), 1)), said
            pid = os.fork()
            in_child = pid == 0
            answer = yield kept[0].resume(in_child)
            return pid, first, answer

        pid, first, answer = run(program()).value
        assert (first, log) == ("kept", ["finally"])
        if pid == 0:
            os._exit(3 if answer is True else 4)
        assert answer is False
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3
        assert rest() == ("done", 3)
    """)


def test_t116_forks_while_other_threads_run_programs_and_share_a_machine():
    """Nothing that another thread held at the fork is missed in the child."""
    process("""
        done, shared, kept = threading.Event(), PyVM(), []

        @handles(Ping)
        def keeps(e, k):
            kept[:] = [k.keep()]
            return Resume(k, e.n)

        def busy():
            while not done.is_set():
                run(pings(20), handlers=[keeps])
                try:
                    shared.run(pings(5), handlers=[echo])
                except VMStateError:
                    pass

        def child(ks):
            own = PyVM()
            own.start_program(pings(4), handlers=[echo])
            while (event := own.step_once()) == ("continue",):
                pass
            result = run(pings(100), handlers=[echo]).value
            try:
                shared.run(Pure(1))
            except VMStateError:
                pass  # The thread that was in it is not in this process.
            return event, result, all(k.used in (True, False) and k.kept for k in ks)

        threads = [threading.Thread(target=busy) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(20):
                ks = tuple(kept)  # Without a GIL the list itself may be locked for ever in the child.
                said = forked(lambda: child(ks))
                assert said == ("ok", (("done", 6), 4950, True)), said
        finally:
            done.set()
            for thread in threads:
                thread.join()
    """)


def test_t118_fork_while_the_first_run_of_another_thread_loads_a_module():
    """The fork waits for it: in the child nobody would ever give the module's lock back."""
    process(
        """
        import difflib, importlib.abc, opcode, time, traceback
        import segue._tail, segue._text

        loading, forking = threading.Event(), threading.Event()

        class Slow(importlib.abc.MetaPathFinder):
            def find_spec(self, name, path, target=None):
                if name == "copy":
                    loading.set()
                    forking.wait()
                    time.sleep(0.3)

        sys.modules.pop("copy", None)
        sys.meta_path.insert(0, Slow())
        sys.addaudithook(lambda event, _: forking.set() if event == "os.fork" else None)

        class Stateful(Handler):
            def enter(self):
                self.entered = True

        thread = threading.Thread(target=lambda: run(Pure(1), handlers=[Stateful()]))
        thread.start()
        loading.wait()
        assert forked(lambda: run(pings(3), handlers=[echo, Stateful()]).value) == ("ok", 3)
        thread.join()
        """,
        seconds=20,
    )


def test_t119_fork_while_another_thread_looks_something_up_for_the_first_time():
    """Nobody lets the interpreter go between taking a cell and filling it: in the child it would never be filled.

    `usleep` keeps the interpreter until the main thread asks for it; from there to the first look-up of the handler's
    table no line of Python runs, so that the main thread goes on where the look-up lets it.
    """
    process(
        """
        import ctypes, difflib, opcode, time, traceback
        import segue._copying, segue._tail, segue._text

        handled, ready = echo(Ping(3)), threading.Lock()
        sleeps = Pure(200_000).map(ctypes.PyDLL(None).usleep).flat_map([handled].__getitem__)
        sys.setswitchinterval(0.05)
        run(Pure(0).map(abs).flat_map([Pure(1)].__getitem__))

        ready.acquire()
        thread = threading.Thread(target=lambda: (ready.release(), run(sleeps)))
        thread.start()
        ready.acquire()
        begin = time.monotonic()
        while time.monotonic() < begin + 0.01:
            pass
        assert forked(lambda: run(handled).value) == ("ok", 3)
        thread.join()
        """,
        seconds=20,
    )


CTRL_C_IN_THE_CHILD = """
    def handler():
        return signal.getsignal(signal.SIGINT) is signal.default_int_handler

    def child():
        '''Ctrl-C reaches the runs of this process: between them at once, in one at its next yield.'''
        between = handler()
        log = []

        @do
        def program():
            try:
                os.kill(os.getpid(), signal.SIGINT)
                yield Ping(1)
                log.append("lost")
            finally:
                log.append((yield Ping(2)))

        try:
            run(program(), handlers=[echo])
        except KeyboardInterrupt:
            log.append("interrupted")
        return between, log, handler()
"""


def test_t117_fork_in_another_thread_while_a_run_is_on_the_main_one():
    process(
        textwrap.dedent(CTRL_C_IN_THE_CHILD)
        + textwrap.dedent("""
            said = []

            @do
            def main():
                assert not handler()
                def body():
                    run(pings(1), handlers=[echo])  # The thread has run before, and was not the main one.
                    said.append(forked(child))
                thread = threading.Thread(target=body)
                thread.start()
                thread.join()
                return (yield Ping(5))

            assert run(main(), handlers=[echo]).value == 5
            assert said == [("ok", (True, [2, "interrupted"], True))], said
            assert handler()
        """)
    )


def test_t117_fork_inside_a_run_of_the_main_thread():
    """The run that goes on in the child is the child's, and Ctrl-C reaches it there, and it only."""
    process(
        textwrap.dedent(CTRL_C_IN_THE_CHILD)
        + textwrap.dedent("""
            @do
            def main():
                said = forked(child)
                return said, (yield Ping(5))

            # Inside the run its handler stands, before and after the inner one.
            assert run(main(), handlers=[echo]).value == (("ok", (False, [2, "interrupted"], False)), 5)
            assert handler()
        """)
    )


# Subinterpreters.

SUBINTERPRETER = '''
import sys

if sys.version_info >= (3, 13):
    import _interpreters as interpreters
    create = {"isolated": lambda: interpreters.create("isolated"), "shared": lambda: interpreters.create("legacy")}
else:
    import _xxsubinterpreters as interpreters
    create = {"isolated": interpreters.create, "shared": lambda: interpreters.create(isolated=False)}

IMPORT = f"""
import sys
sys.path[:] = {sys.path!r}
try:
    import segue
except ImportError as e:
    said = str(e)
    assert e.name == "segue" and "segue" in said and "subinterpreter" in said and "threads of the main" in said, said
else:
    raise AssertionError("imported")
"""


def refused(kind):
    if kind == "concurrent":
        from concurrent import interpreters as public

        interpreter = public.create()
        interpreter.exec(IMPORT)
        interpreter.close()
        return
    interpreter = create[kind]()
    raised = interpreters.run_string(interpreter, IMPORT)
    assert raised is None, raised
    interpreters.destroy(interpreter)


def works():
    from segue import Ask, reader, run

    assert run(Ask("x"), handlers=[reader], env={"x": 3}).value == 3
    assert run(Ask("y"), handlers=[reader], env={"x": 3}).is_err()
'''


KINDS = ["isolated", "shared", *(["concurrent"] if sys.version_info >= (3, 14) else [])]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("first", ["works()", "pass"])
def test_t04_subinterpreter_is_refused_with_what_to_do_and_the_main_one_is_unharmed(kind, first):
    """Whichever imports first: nothing of a subinterpreter is left in what the process remembers."""
    run_child(f"{SUBINTERPRETER}\n{first}\nrefused({kind!r})\nworks()\n").ok()

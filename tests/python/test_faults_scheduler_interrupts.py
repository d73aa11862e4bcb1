"""Faults of the scheduler: Ctrl-C while all wait for the outside (S03), in a process of its own."""

import pytest

from tasks_vocabulary import built_in, child, schedulers


@schedulers
@pytest.mark.parametrize("wait", ["Wait(external)", "Gather(external, task)", "Sleep(3600)", "Wait(task)"])
def test_s03_interrupt_of_a_run_that_waits_for_the_outside_ends_it_within_200_ms(make, wait):
    """At the wait of the root, whose `finally` runs, and that of the other tasks; the loop tries it a few times."""
    source = f"""
        log, late = [], []


        def interrupt():
            time.sleep(0.1)
            late.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)


        @do
        def other(external):
            try:
                yield Wait(external)
            finally:
                log.append("task")


        @do
        def program():
            external = yield CreateExternalPromise()
            task = yield Spawn(other(external), daemon=True)
            threading.Thread(target=interrupt).start()
            try:
                yield {wait}
            finally:
                late.append(time.monotonic())
                log.append("root")
                yield Tell("cleaned")


        for trial in range(3):
            log.clear()
            late.clear()
            try:
                run(program(), handlers=[writer, make()])
            except KeyboardInterrupt as error:
                assert list(error.run_result.log) == ["cleaned"], trial
            else:
                raise AssertionError("not interrupted")
            assert sorted(log) == ["root", "task"], (trial, log)
            assert late[1] - late[0] < 0.2, (trial, late)
    """
    child(source, make)


def test_s03_program_may_catch_the_interrupt_and_wait_again():
    source = """
        @do
        def program():
            external = yield CreateExternalPromise()
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
            try:
                yield Wait(external)
            except KeyboardInterrupt:
                threading.Timer(0.05, external.complete, ("after all",)).start()
                return (yield Wait(external))

        assert run(program(), handlers=[make()]).value == "after all"
    """
    child(source, built_in)

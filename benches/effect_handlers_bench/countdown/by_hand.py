"""What is yielded is the value to put, or nothing to get it."""


def countdown():
    while n := (yield None):
        yield n - 1
    return n


def main(n):
    cell = n
    program = countdown()
    send = program.send
    answer = None
    try:
        while True:
            asked = send(answer)
            if asked is None:
                answer = cell
            else:
                cell = asked
    except StopIteration as end:
        return end.value

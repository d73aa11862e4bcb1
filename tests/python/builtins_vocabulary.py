"""Programs that the tests of the built-in handlers have in common."""

from segue import Pure, do


@do
def sequence(*programs):
    """The results of several programs or effects, one after the other."""
    results = []
    for program in programs:
        result = yield program
        results.append(result)
    return results


@do
def caught(program, *types):
    """What `program` comes to, or the error of one of the types."""
    try:
        return (yield program)
    except types as e:
        return e


@do
def raises(error):
    yield Pure(None)
    raise error

"""Multi-shot by replay: the walk is done again for each leaf, and `Choose` answers as before."""

from benches.effect_handlers_bench.tree_explore import ROUNDS, Cell, operator, tree
from segue import Effect, answers, do, run


class Choose(Effect[bool]):
    pass


@do
def explore(node, cell):
    if node is None:
        return cell.value
    left = yield Choose()
    cell.fold(node.value)
    return operator(node.value, (yield explore(node.left if left else node.right, cell)))


@do
def every_way(root, cell):
    @answers(Choose)
    def choose(effect):
        return cell.path.choose(2) == 0

    way = choose(explore(root, cell))
    results = []
    while True:
        results.append((yield way))
        if not cell.path.advance():
            return results


def main(n):
    root, best = tree(n), 0
    for _ in range(ROUNDS):
        best = max(run(every_way(root, Cell(best))).value)
    return best

"""Multi-shot by replay, as with Segue."""

from benches.effect_handlers_bench.tree_explore import ROUNDS, Cell, operator, tree
from benches.peers.greenlet import handled, perform


class Choose:
    __slots__ = ()


def explore(node, cell):
    if node is None:
        return cell.value
    left = perform(Choose())
    cell.fold(node.value)
    return operator(node.value, explore(node.left if left else node.right, cell))


def every_way(root, cell):
    def choose(effect):
        return cell.path.choose(2) == 0

    results = []
    while True:
        results.append(handled(lambda: explore(root, cell), {Choose: choose}))
        if not cell.path.advance():
            return results


def main(n):
    root, best = tree(n), 0
    for _ in range(ROUNDS):
        best = max(every_way(root, Cell(best)))
    return best

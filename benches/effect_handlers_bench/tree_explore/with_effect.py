"""Multi-shot by replay, as with Segue."""

from effect import ComposedDispatcher, Effect, TypeDispatcher, base_dispatcher, sync_perform, sync_performer
from effect.do import do

from benches.effect_handlers_bench.tree_explore import ROUNDS, Cell, operator, tree


class Choose:
    pass


@do
def explore(node, cell):
    if node is None:
        return cell.value
    left = yield Effect(Choose())
    cell.fold(node.value)
    return operator(node.value, (yield explore(node.left if left else node.right, cell)))


@do
def every_way(root, cell):
    results = []
    while True:
        results.append((yield explore(root, cell)))
        if not cell.path.advance():
            return results


def best_way(root, cell):
    @sync_performer
    def choose(dispatcher, intent):
        return cell.path.choose(2) == 0

    dispatcher = ComposedDispatcher([TypeDispatcher({Choose: choose}), base_dispatcher])
    return max(sync_perform(dispatcher, every_way(root, cell)))


def main(n):
    root, best = tree(n), 0
    for _ in range(ROUNDS):
        best = best_way(root, Cell(best))
    return best

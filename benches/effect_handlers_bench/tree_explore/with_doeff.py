"""Multi-shot by replay, as with Segue."""

from doeff import EffectBase, Transfer, do, handler, run

from benches.effect_handlers_bench.tree_explore import ROUNDS, Cell, operator, tree


class Choose(EffectBase):
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
    @handler
    def choose(effect: Choose, k):
        return (yield Transfer(k, cell.path.choose(2) == 0))

    results = []
    while True:
        results.append((yield choose(explore(root, cell))))
        if not cell.path.advance():
            return results


def main(n):
    root, best = tree(n), 0
    for _ in range(ROUNDS):
        best = max(run(every_way(root, Cell(best))))
    return best

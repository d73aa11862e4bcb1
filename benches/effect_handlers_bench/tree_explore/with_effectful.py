"""Multi-shot by replay, as with Segue."""

from effectful.ops.semantics import handler
from effectful.ops.syntax import defop
from effectful.ops.types import NotHandled

from benches.effect_handlers_bench.tree_explore import ROUNDS, Cell, operator, tree


@defop
def choose() -> bool:
    raise NotHandled


def explore(node, cell):
    if node is None:
        return cell.value
    left = choose()
    cell.fold(node.value)
    return operator(node.value, explore(node.left if left else node.right, cell))


def every_way(root, cell):
    def chosen():
        return cell.path.choose(2) == 0

    results = []
    while True:
        with handler({choose: chosen}):
            results.append(explore(root, cell))
        if not cell.path.advance():
            return results


def main(n):
    root, best = tree(n), 0
    for _ in range(ROUNDS):
        best = max(every_way(root, Cell(best)))
    return best

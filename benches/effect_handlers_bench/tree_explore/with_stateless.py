"""Multi-shot by replay, as with Segue."""

from dataclasses import dataclass

from stateless import Ability, handle, run

from benches.effect_handlers_bench.tree_explore import ROUNDS, Cell, operator, tree


@dataclass
class Choose(Ability[bool]):
    pass


def explore(node, cell):
    if node is None:
        return cell.value
    left = yield from Choose()
    cell.fold(node.value)
    return operator(node.value, (yield from explore(node.left if left else node.right, cell)))


def every_way(root, cell):
    def choose(ability: Choose):
        return cell.path.choose(2) == 0

    way = handle(choose)(explore)
    results = []
    while True:
        results.append((yield from way(root, cell)))
        if not cell.path.advance():
            return results


def main(n):
    root, best = tree(n), 0
    for _ in range(ROUNDS):
        best = max(run(every_way(root, Cell(best))))
    return best

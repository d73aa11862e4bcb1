"""Multi-shot by replay, as with Segue: the library's own loses frames where an effect follows in nested calls."""

from aleff.oneshot import create_handler, effect

from benches.effect_handlers_bench.tree_explore import ROUNDS, Cell, operator, tree

choose = effect("choose")


def explore(node, cell):
    if node is None:
        return cell.value
    left = choose()
    cell.fold(node.value)
    return operator(node.value, explore(node.left if left else node.right, cell))


def every_way(root, cell):
    handler = create_handler(choose)
    handler.on(choose)(lambda k: k(cell.path.choose(2) == 0))
    results = []
    while True:
        results.append(handler(lambda: explore(root, cell)))
        if not cell.path.advance():
            return results


def main(n):
    root, best = tree(n), 0
    for _ in range(ROUNDS):
        best = max(every_way(root, Cell(best)))
    return best

"""Multi-shot by replay: whatever is yielded is a choice."""

from benches.effect_handlers_bench.tree_explore import ROUNDS, Cell, operator, tree


def explore(node, cell):
    if node is None:
        return cell.value
    left = yield
    cell.fold(node.value)
    return operator(node.value, (yield from explore(node.left if left else node.right, cell)))


def way(program, path):
    answer = None
    try:
        while True:
            program.send(answer)
            answer = path.choose(2) == 0
    except StopIteration as end:
        return end.value


def every_way(root, cell):
    results = []
    while True:
        results.append(way(explore(root, cell), cell.path))
        if not cell.path.advance():
            return results


def main(n):
    root, best = tree(n), 0
    for _ in range(ROUNDS):
        best = max(every_way(root, Cell(best)))
    return best

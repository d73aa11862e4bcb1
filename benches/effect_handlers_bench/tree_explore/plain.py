"""A function that calls itself for both sides, and collects; the cell is a variable around it."""

from benches.effect_handlers_bench.tree_explore import ROUNDS, operator, tree


def every_way(root, cell):
    def explore(node):
        nonlocal cell
        if node is None:
            return [cell]
        results = []
        for side in (node.left, node.right):
            cell = operator(cell, node.value)
            results += [operator(node.value, result) for result in explore(side)]
        return results

    return explore(root)


def main(n):
    root, best = tree(n), 0
    for _ in range(ROUNDS):
        best = max(every_way(root, best))
    return best

"""The walk is a greenlet, and the consumer switches to it when it wants more."""

from greenlet import greenlet

from benches.effect_handlers_bench.generator import tree
from benches.peers.greenlet import perform


def walk(node):
    if node is not None:
        walk(node.left)
        perform(node.value)
        walk(node.right)


def main(n):
    total = 0
    rest = greenlet(walk)
    value = rest.switch(tree(n))
    while not rest.dead:
        total += value
        value = rest.switch()
    return total

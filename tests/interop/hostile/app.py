"""What limits are for, in Python."""

import sys

import wit_world


class WitWorld(wit_world.WitWorld):
    def spin(self):
        while True:
            pass

    def hoard(self):
        kept = []
        while True:
            kept.append(bytearray(1 << 20))

    def recurse(self):
        # Without its own limit Python goes on until the memory or the stack of the sandbox ends.
        sys.setrecursionlimit(2**31 - 1)
        return deeper(0)

    def ping(self):
        return "pong"


def deeper(depth):
    # By way of `max`, which is not Python, so that it is the machine's stack that grows.
    return max([depth + 1], key=deeper)

"""The stack that a campaign hurts: the processes, and a fault proxy between any two of them."""

"""The parts of the stack, and the ways to them."""

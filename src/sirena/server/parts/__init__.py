"""The parts of the stack, their accounts, and how to connect to them."""

"""Training one ordinal Keras network per antimicrobial from labelled results, and compiling it into a truth table."""

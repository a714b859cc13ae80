"""From labelled results to one ordinal Keras network per antimicrobial, and to the truth table it compiles into."""

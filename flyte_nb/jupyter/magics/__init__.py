"""The magics, by what they do: define environments, show them, and act on them."""

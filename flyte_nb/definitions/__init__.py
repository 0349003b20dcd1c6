"""What cells have defined: the facts, what they amount to, and who owns them."""

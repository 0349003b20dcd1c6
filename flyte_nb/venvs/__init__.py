"""Virtual environments for images: what they hold, building them safely, and collecting those that nobody uses."""

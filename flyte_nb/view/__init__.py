"""Status objects turned into svg, html and text; live widgets beside them."""

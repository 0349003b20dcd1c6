"""What is deployed of an environment: source, found in cells and modules, and a fingerprint of it."""

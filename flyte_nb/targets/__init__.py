"""Where environments are deployed: the protocol, and one module for each target."""

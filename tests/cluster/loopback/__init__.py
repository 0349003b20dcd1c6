"""A Flyte control plane on this machine, for tests: what the unpatched SDK asks for, with real pods and real faults."""

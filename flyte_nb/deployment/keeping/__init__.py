"""What outlives the kernel: the database of deployments, who records it, locks, and the history."""

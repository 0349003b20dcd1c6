"""Deployment as plan and apply."""

"""Where tasks run when not inline: what was deployed, brought to where it is executed."""

"""Environments and tasks of the SDK that users construct, as definitions of the session."""

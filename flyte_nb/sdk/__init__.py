"""The official Flyte SDK: the only package that imports it, and only when something needs it."""

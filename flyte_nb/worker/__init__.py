"""The program of a worker: a process that runs the tasks of one deployed environment, with that environment's Python.

Of the kernel's Python it has flyte_nb alone, and so needs nothing but the standard library.
"""

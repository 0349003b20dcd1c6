"""Values on their way between environments: as bytes and shared memory, whatever Python and libraries are there.

Both sides run this code: the kernel, and the processes of environments that have nothing but flyte_nb and what their
own image names. So what is not of the standard library is looked up when a value of it is met.
"""

"""Worker processes as the kernel sees them: started, called, stopped, and gone with the kernel."""

"""IPython and JupyterLab: magics that translate, and the hooks that make cells own what they define."""

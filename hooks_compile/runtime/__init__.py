"""Code that runs in the hook's own interpreter: standard library only, Python 3.8 syntax."""

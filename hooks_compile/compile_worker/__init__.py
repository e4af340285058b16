"""What compiles in the hook's interpreter: standard library only, Python 3.8 syntax."""

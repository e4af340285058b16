"""Hook commands: moved to the wrapper, and back."""

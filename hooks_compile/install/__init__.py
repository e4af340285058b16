"""What lies in the runtime directory and beside the hooks."""

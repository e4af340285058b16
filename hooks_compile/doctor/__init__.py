"""``hooks-compile doctor``: what keeps hooks from their entries on this machine."""

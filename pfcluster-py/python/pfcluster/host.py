"""What this machine knows. Everything here reads or asks; waiting lets other threads run, and Ctrl-C ends it."""

from pfcluster._native import evidence

__all__ = ["evidence"]

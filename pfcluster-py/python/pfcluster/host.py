"""What this machine and its cluster know. Everything here reads or asks; waiting lets other threads run, has a deadline
(`timeout`, in seconds), and Ctrl-C ends it."""

from pfcluster._native import config_versions, evidence, status

__all__ = ["config_versions", "evidence", "status"]

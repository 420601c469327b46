"""What this machine and its cluster know, and what they do. Waiting lets other threads run, has a deadline (`timeout`, in
seconds), and Ctrl-C ends it. `push` and `pull` change the configuration of members; all others only read and ask."""

from pfcluster._native import config_versions, evidence, member_status, pull, push, status

__all__ = ["config_versions", "evidence", "member_status", "pull", "push", "status"]

"""Checks cluster.conf files: check.py FILE...

Prints each finding, and ends with 1 if there are errors.
"""

from __future__ import annotations

import sys

import pfcluster


def main(paths: list[str]) -> int:
    status = 0
    for path in paths:
        findings = pfcluster.load(path).check()
        for finding in findings:
            print(f"{finding.file}:{finding.line}: {finding.severity} {finding.code}: {finding.message}")
            print(f"  {finding.help}")
        try:
            findings.raise_for_errors()
        except pfcluster.errors.InvalidConfigurationError as error:
            print(error.message, file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

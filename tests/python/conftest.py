"""What this Python can't read is not collected."""

import sys

collect_ignore = [] if sys.version_info >= (3, 10) else ["test_match.py"]

"""What pfcluster raises. All of it is a PfclusterError; wrong types are Python's own TypeError."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pfcluster._native import Diagnostic

__all__ = [
    "EditError",
    "GenerateError",
    "HostError",
    "InputError",
    "InternalError",
    "InvalidConfigurationError",
    "MemberError",
    "NotAMemberError",
    "PfclusterError",
    "UnreadableStateError",
]


class PfclusterError(Exception):
    """The root of them all: one sentence, what to do about it, and the findings that it is about."""

    def __init__(self, message: str, help: str = "", diagnostics: tuple[Diagnostic, ...] = ()) -> None:
        super().__init__(message, help, diagnostics)
        self.message: str = message
        self.help: str = help
        self.diagnostics: tuple[Diagnostic, ...] = diagnostics

    def __str__(self) -> str:
        return f"{self.message}\nhelp: {self.help}" if self.help else self.message


class InputError(PfclusterError, ValueError):
    """An argument that makes no sense."""


class NotAMemberError(InputError, LookupError):
    """A host that is not a member of the cluster."""


class EditError(InputError):
    """cluster.conf can't be changed like that."""


class GenerateError(PfclusterError):
    """Nothing was generated. The errors of the files, if there are some, are in `diagnostics`."""


class InvalidConfigurationError(PfclusterError):
    """The files have errors: they are in `diagnostics`. Raised by `Diagnostics.raise_for_errors` only."""


class UnreadableStateError(PfclusterError, ValueError):
    """A file or log of the database that can't be understood, or trusted."""


class HostError(PfclusterError):
    """What this machine would not do. `kind`: `unreadable`, `unwritable` or `content`."""

    def __init__(self, message: str, help: str = "", kind: str = "unreadable") -> None:
        super().__init__(message, help)
        self.args = (message, help, kind)
        self.kind: str = kind


class MemberError(PfclusterError):
    """What another member would not do. `kind`: `member` (no answer, or none of use), `certificate` (it shows one that is
    not known, so nothing was sent to it)."""

    def __init__(self, message: str, help: str = "", kind: str = "member") -> None:
        super().__init__(message, help)
        self.args = (message, help, kind)
        self.kind: str = kind


class InternalError(PfclusterError):
    """A fault of pfcluster itself: please report it."""

"""What is built in Rust. Import it as `pfcluster`."""

from collections.abc import Iterable, Iterator, Mapping
from os import PathLike
from typing import Any, Final, Literal, SupportsIndex, final, overload

from typing_extensions import TypeAlias, disjoint_base

_Path: TypeAlias = str | PathLike[str]
_Pairs: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]
_Evidence: TypeAlias = Evidence | str | bytes | Mapping[str, Any]
# Where a class has a property of that name.
_bytes: TypeAlias = bytes

__all__ = [
    "Action",
    "Addresses",
    "Cluster",
    "ClusterStatus",
    "ConfigVersions",
    "Decision",
    "Detail",
    "Diagnostic",
    "Diagnostics",
    "Document",
    "Evidence",
    "Generated",
    "GeneratedFile",
    "Grastate",
    "Gvwstate",
    "Input",
    "Interface",
    "Member",
    "MemberStatus",
    "NEWEST_PACKETFENCE",
    "Output",
    "Position",
    "Reason",
    "Rule",
    "Section",
    "Step",
    "Supervisor",
    "SupervisorStatus",
    "Sync",
    "View",
    "ViewChange",
    "WhatIf",
    "Zone",
    "__version__",
    "_panic",
    "_restore",
    "_restore_cluster",
    "_work",
    "alive_quorum",
    "config_versions",
    "evidence",
    "generate",
    "grastate",
    "gvwstate",
    "load",
    "member_status",
    "parse",
    "pull",
    "push",
    "quorum",
    "recovered_position",
    "resolve_conflict",
    "rule",
    "rules",
    "select_bootstrap",
    "status",
    "what_if",
]

__version__: Final[str]
NEWEST_PACKETFENCE: Final[str]

@disjoint_base
class Document:
    """One of pfcluster's JSON documents, or a part of one, as a frozen object."""

    def to_dict(self) -> dict[str, Any]:
        """The document as plain dicts, lists, strings and numbers."""

    def to_json(self) -> str:
        """The document as the command line prints it with `--format json`."""

    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __copy__(self) -> Document: ...
    def __deepcopy__(self, _memo: Any) -> Document: ...

@final
class Detail(Document):
    """Something with a `kind`: an action, a reason, or a part of one. Its other attributes are the fields of
    the JSON document; a field that is a word of Python has `_` behind its name (`for_`)."""

    __match_args__: Final = ("kind",)
    def __getattr__(self, name: str, /) -> Any: ...

@final
class Action(Document):
    """What to do: `kind` tells what, the other attributes are those of the JSON document."""

    __match_args__: Final = ("kind",)
    def __getattr__(self, name: str, /) -> Any: ...
    @property
    def kind(self) -> str:
        """A stable word for it."""

@final
class Reason(Document):
    """Why: `kind` tells what, `text` says it, the other attributes are those of the JSON document."""

    __match_args__: Final = ("kind",)
    def __getattr__(self, name: str, /) -> Any: ...
    @property
    def kind(self) -> str:
        """A stable word for it."""

    @property
    def text(self) -> str:
        """One English sentence without a final period."""

@final
class Decision(Document):
    """An answer about the state of the world. Waiting and refusing are actions like others: they too have
    reasons."""

    __match_args__: Final = ("action", "reasons", "remedy")
    @property
    def action(self) -> Action:
        """What to do."""

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why, the most telling first."""

    @property
    def remedy(self) -> tuple[str, ...]:
        """What a person can do next, in order."""

@final
class ViewChange(Document):
    """What happens at once to a healthy cluster: who crashes, who shuts the database down, how the network
    splits."""

    __match_args__: Final = ("down", "left", "split")
    def __new__(
        cls,
        *,
        down: Iterable[str] | None = None,
        left: Iterable[str] | None = None,
        split: Iterable[Iterable[str]] | None = None,
    ) -> ViewChange: ...
    @property
    def down(self) -> tuple[str, ...]:
        """These crash, or lose their power or their network for good."""

    @property
    def left(self) -> tuple[str, ...]:
        """These shut their database down gracefully."""

    @property
    def split(self) -> tuple[tuple[str, ...], ...] | None:
        """The network splits into these groups; `None` leaves it as it was."""

@final
class WhatIf(Document):
    """What becomes of a healthy cluster."""

    __match_args__: Final = ("primary", "steps")
    @property
    def members(self) -> tuple[str, ...]:
        """All members, in order."""

    @property
    def primary(self) -> bool:
        """Whether some members are primary at the end: whether there is a database that can be written."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """How things stand after each change; as they are, if there is none."""

    @property
    def features(self) -> Detail:
        """What still works on a member that is `primary`, `read_only` or `down` (guide 4.1)."""

    @property
    def action(self) -> Action:
        """How it ends: `primary` with the members that are, else `no_primary`."""

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why it ends so."""

    @property
    def remedy(self) -> tuple[str, ...]:
        """What brings a primary component back, in order. Empty if there is one."""

@final
class Step(Document):
    """The cluster after a change."""

    __match_args__: Final = ("change", "groups", "down")
    @property
    def change(self) -> ViewChange | None:
        """What has happened; `None` if nothing has."""

    @property
    def groups(self) -> tuple[Detail, ...]:
        """Who sees whom: members, `state`, `tally`, `alive_quorum`."""

    @property
    def down(self) -> tuple[Detail, ...]:
        """Who is down, and how each went."""

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why it is so."""

    @property
    def tolerance(self) -> Detail | None:
        """What the primary component survives; `None` if there is none."""

    @property
    def remedy(self) -> tuple[str, ...]:
        """What brings a primary component back, in order."""

@final
class Diagnostics(Document):
    """Everything that is wrong with the files, in order of file and place. Empty if nothing is."""

    __match_args__: Final = ("diagnostics",)
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Diagnostic]: ...
    @overload
    def __getitem__(self, index: SupportsIndex, /) -> Diagnostic: ...
    @overload
    def __getitem__(self, index: slice, /) -> tuple[Diagnostic, ...]: ...
    @property
    def files(self) -> tuple[str, ...]:
        """The files that were read."""

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """The findings."""

    @property
    def summary(self) -> Detail:
        """How many there are: `errors`, `warnings`, `infos`."""

    def raise_for_errors(self) -> None:
        """Raises `InvalidConfigurationError` with the errors, if there are some. Warnings raise nothing."""

@final
class Diagnostic(Document):
    """One finding in one file."""

    __match_args__: Final = ("code", "line", "column")
    @property
    def code(self) -> str:
        """The rule's stable code, such as `PFC012`."""

    @property
    def name(self) -> str:
        """The rule's stable name, such as `duplicate-address`."""

    @property
    def severity(self) -> Literal["error", "warning", "info"]:
        """`error`, `warning` or `info`."""

    @property
    def message(self) -> str:
        """What is wrong, in one sentence. Never holds a secret."""

    @property
    def help(self) -> str:
        """What to do about it."""

    @property
    def file(self) -> str:
        """The file."""

    @property
    def line(self) -> int:
        """The line, from 1."""

    @property
    def column(self) -> int:
        """The column in characters, from 1."""

    @property
    def end_line(self) -> int:
        """The line of the end."""

    @property
    def end_column(self) -> int:
        """The column after the last character."""

    @property
    def related(self) -> tuple[Detail, ...]:
        """Other places that belong to it: file, line, column, message."""

@final
class Rule(Document):
    """What can be wrong, with its manual page."""

    __match_args__: Final = ("code", "name")
    @property
    def code(self) -> str:
        """Stable code, such as `PFC012`."""

    @property
    def name(self) -> str:
        """Stable name, such as `duplicate-address`."""

    @property
    def severity(self) -> Literal["error", "warning", "info"]:
        """`error`, `warning` or `info`."""

    @property
    def explanation(self) -> str:
        """What, why, an example, what to do."""

@final
class Zone(Document):
    """Servers that share virtual addresses. A single-zone cluster has one, named `DEFAULT`."""

    __match_args__: Final = ("name",)
    @property
    def name(self) -> str:
        """Its name."""

    @property
    def slave_of(self) -> str | None:
        """The zone whose database this one follows."""

    @property
    def vips(self) -> Addresses | None:
        """The virtual addresses."""

    @property
    def members(self) -> tuple[Member, ...]:
        """The members, in order."""

    @property
    def networks(self) -> tuple[str, ...]:
        """Networks of networks.conf that the zone writes over."""

@final
class Member(Document):
    """A server of cluster.conf."""

    __match_args__: Final = ("host", "management_ip")
    @property
    def host(self) -> str:
        """Its host name."""

    @property
    def enabled(self) -> bool:
        """Whether it is counted in."""

    @property
    def index(self) -> int | None:
        """Its place among the enabled members of its zone, from 0."""

    @property
    def database_order(self) -> int | None:
        """Its place in the order in which HAProxy prefers the databases, from 1."""

    @property
    def vrrp_priority(self) -> Detail:
        """Its VRRP priorities, `management` and `registration`: the highest holds the address."""

    @property
    def management_ip(self) -> str | None:
        """Its address for management."""

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """Its interfaces, in order of the file."""

@final
class Addresses(Document):
    """The virtual addresses of a zone."""

    __match_args__: Final = ("management_ip",)
    @property
    def management_ip(self) -> str | None:
        """The address for management."""

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """The interfaces."""

@final
class Interface(Document):
    """An interface with its address."""

    __match_args__: Final = ("name", "ip")
    @property
    def name(self) -> str:
        """Its name."""

    @property
    def type(self) -> str | None:
        """What it is for: pf.conf's `type`, or cluster.conf's."""

    @property
    def ip(self) -> str | None:
        """Its address."""

@final
class Section(Document):
    """A section of cluster.conf, as PacketFence reads it. Secrets are masked."""

    __match_args__: Final = ("name", "entries")
    @property
    def name(self) -> str:
        """Its name."""

    @property
    def line(self) -> int:
        """Its line, from 1."""

    @property
    def entries(self) -> tuple[Detail, ...]:
        """Its keys: `key`, `line`, `values`."""

@final
class View(Document):
    """The cluster as one member sees it."""

    __match_args__: Final = ("host", "index")
    @property
    def host(self) -> str:
        """The member that looks."""

    @property
    def index(self) -> int | None:
        """Its place among the enabled members of its zone, from 0; `None` if it is disabled itself."""

    @property
    def zone(self) -> str:
        """Its zone."""

    @property
    def zone_members(self) -> tuple[str, ...]:
        """Enabled members of its zone."""

    @property
    def configuration_members(self) -> tuple[str, ...]:
        """Enabled members of all zones: those that share one configuration."""

    @property
    def database_members(self) -> tuple[str, ...]:
        """Enabled members that share its database."""

    @property
    def database_order(self) -> tuple[str, ...]:
        """The databases in the order in which HAProxy prefers them."""

    @property
    def vrrp_priority(self) -> Detail:
        """Its VRRP priorities for virtual addresses: `management`, `radius`, `registration`."""

@final
class Generated(Document):
    """What was generated for a member."""

    __match_args__: Final = ("files",)
    @property
    def deviations(self) -> tuple[Detail, ...]:
        """Where the files differ from PacketFence's own, and why: `original`, `here`, `why`."""

    @property
    def notices(self) -> tuple[Detail, ...]:
        """What the user should know: `message`, `help`."""

    @property
    def files(self) -> tuple[GeneratedFile, ...]:
        """The files. Their texts hold secrets, so the JSON document is without them."""

@final
class GeneratedFile(Document):
    """A generated file."""

    __match_args__: Final = ("path", "text")
    @property
    def path(self) -> str:
        """Path below the install directory, `var/conf/keepalived.conf`."""

    @property
    def text(self) -> str:
        """Contents."""

    @property
    def access(self) -> Literal["public", "placeholder", "secret", "database", "database_script"]:
        """Who may read it: `public`, `placeholder`, `secret`, `database`, `database_script`."""

@final
class Evidence(Document):
    """What one member knows of its database (`pfcluster evidence`)."""

    __match_args__: Final = ("host",)
    def __new__(cls, source: str | bytes | Mapping[str, Any]) -> Evidence: ...
    @property
    def host(self) -> str:
        """The member."""

    @property
    def taken_at(self) -> str | None:
        """When it was taken, in seconds since 1970 as its own clock had it."""

    @property
    def boot_id(self) -> str | None:
        """The boot of the machine by whose clock that is."""

    @property
    def gathering(self) -> str | None:
        """A random token, the same in all evidence that was gathered together."""

    @property
    def maintenance(self) -> bool | None:
        """It is in maintenance."""

    @property
    def arbitrator(self) -> bool | None:
        """It runs Galera's arbitrator."""

    @property
    def disabled(self) -> tuple[str, ...] | None:
        """The members that it counts out."""

    @property
    def members_hash(self) -> str | None:
        """Tells whether it reads the same members from cluster.conf as others do."""

    @property
    def running(self) -> Detail | None:
        """What the running server says; `None` if none answers."""

    @property
    def starting(self) -> bool | None:
        """A process is there that was never in a primary component, and does not answer."""

    @property
    def bootstrapping(self) -> bool | None:
        """A process is there that was started to bootstrap, or without Galera, and does not answer yet."""

    @property
    def not_responding(self) -> bool | None:
        """A process is there that does not respond and may be serving clients."""

    @property
    def files(self) -> Detail | None:
        """What its files say; `None` if they could not be read."""

    @property
    def notes(self) -> tuple[Detail, ...] | None:
        """What a person should know: `message`, `help`."""

@final
class Grastate(Document):
    """What grastate.dat says."""

    __match_args__: Final = ("uuid", "seqno")
    @property
    def uuid(self) -> str:
        """The history."""

    @property
    def seqno(self) -> int:
        """-1 while the server runs and after a crash. Any other number decides nothing: a stopped member's position is the
        recovered one."""

    @property
    def safe_to_bootstrap(self) -> bool | None:
        """`None` if the line is missing (old versions)."""

@final
class Gvwstate(Document):
    """What gvwstate.dat says."""

    __match_args__: Final = ("view_uuid", "view_seq")
    @property
    def my_uuid(self) -> str:
        """This node."""

    @property
    def view_uuid(self) -> str:
        """The node that named the view."""

    @property
    def view_seq(self) -> int:
        """The number of the view."""

    @property
    def bootstrap(self) -> bool:
        """Whether the view began with a bootstrap."""

    @property
    def members(self) -> tuple[str, ...]:
        """The nodes in the view."""

@final
class Position(Document):
    """A place in a history."""

    __match_args__: Final = ("uuid", "seqno")
    @property
    def uuid(self) -> str:
        """The history."""

    @property
    def seqno(self) -> int:
        """The number of the last transaction."""

@final
class Input(Document):
    """What happens to a `Supervisor`: `Input("looked", number=1, evidence=..., data=0)`. It is made as `match`
    takes it apart.

    `looked`: the answer to `Output("look")`: `number`, `evidence`, `data` (a number that tells one state of the
    data files from another), and of a running server `view_number` (`wsrep_cluster_conf_id`), `receive_queue`
    (`wsrep_local_recv_queue`); `age`: how many seconds old what it says of the process was when the probe ended;
    `vips`: the virtual addresses that the machine holds, if it can tell; `last_backup`: its last backup of the
    database, as in the status of the cluster.
    `asked`: the answer to `Output("ask")`: `number`, `answers` (evidence with `running` of those that answered).
    `acted`: the answer to `Output("act")`: `error` (of the step that failed, else `None`).
    `synced`: the answer to `Output("sync")`: `error` (why it failed, else `None`).
    `not_recorded`: `Output("record")` could not be carried out: `why`.
    `received`: a datagram: `bytes`. `ended`: the process of the database has ended: `why`.
    `said`: an override of an operator: `id` (a random number), `saying` (`kind`: `assume_lost` with `members`;
    `discard`, `trust`, `end`, `seed` or `force` with `member`; `standalone`), `user` (the number of the user of this
    machine who gave it; `None` for an option of the command line).
    `end`: it is to end, and its database with it. `woken`: the moment of `poll_timeout` is there."""

    __match_args__: Final = ("kind",)
    @overload
    def __new__(
        cls,
        kind: Literal["looked"],
        /,
        *,
        number: int,
        evidence: _Evidence,
        data: int,
        view_number: int | None = None,
        receive_queue: int | None = None,
        age: float = 0,
        vips: Iterable[str] | None = None,
        last_backup: Mapping[str, Any] | Document | None = None,
    ) -> Input: ...
    @overload
    def __new__(cls, kind: Literal["asked"], /, *, number: int, answers: Iterable[_Evidence]) -> Input: ...
    @overload
    def __new__(cls, kind: Literal["acted", "synced"], /, *, error: str | None = None) -> Input: ...
    @overload
    def __new__(cls, kind: Literal["not_recorded", "ended"], /, *, why: str) -> Input: ...
    @overload
    def __new__(cls, kind: Literal["received"], /, *, bytes: _bytes) -> Input: ...
    @overload
    def __new__(
        cls, kind: Literal["said"], /, *, id: int, saying: Mapping[str, Any] | Document, user: int | None = None
    ) -> Input: ...
    @overload
    def __new__(cls, kind: Literal["end", "woken"], /) -> Input: ...
    def __getattr__(self, name: str, /) -> Any: ...
    @property
    def kind(self) -> str:
        """A stable word for it."""

    @property
    def bytes(self) -> _bytes:
        """The datagram of `received`. (In `to_dict` and `to_json` it is hexadecimal.)"""

@final
class Output(Document):
    """What a `Supervisor` wants done.

    `look`: gather this member's evidence, with the position of a stopped server recovered if `recover`; `number`
    is for the answer. `ask`: ask the databases of `hosts` over the network what they are; `number` is for the
    answer. `send`: the datagram `bytes` to the management address of the member `to`.
    `act`: carry out `steps` in order, for `part`; after one that fails the rest must not be done. Their kinds are
    `record` (with `records`), `set_view_aside`, `set_state_aside`, `set_data_aside`, `allow_bootstrap`,
    `forbid_bootstrap`, `clear_seqno`, `write_uuid` (with `uuid`), `start` (with `how`: `normal`,
    `new_cluster` or `alone`, and `position`), `promote`, `stop` (with `kill_after`, in seconds, or `None`), `end` (with `kill_after`: whatever the process does).
    `record`: write `records` down, in place of what was written before.
    `pin`: write the public keys in `pinned` down, by their members, in place of those that were written before.
    `sync`: write all data of the database's file systems to disk (`syncfs`): a state transfer (SST) came in.
    `tell`: tell the people `text`; the other fields are those of the log (schemas/supervise-log.json).
    `end`: the database has ended, so may the program."""

    __match_args__: Final = ("kind",)
    def __getattr__(self, name: str, /) -> Any: ...
    @property
    def kind(self) -> str:
        """A stable word for it."""

    @property
    def bytes(self) -> _bytes:
        """The datagram of `send`. (In `to_dict` and `to_json` it is hexadecimal.)"""

@final
class SupervisorStatus(Document):
    """What a `Supervisor` knows, has decided, and does (`pfcluster mariadb status`)."""

    __match_args__: Final = ("host", "part", "decision")
    @property
    def host(self) -> str:
        """The own member."""

    @property
    def part(self) -> str | None:
        """What it is about to do, or does."""

    @property
    def decision(self) -> Decision | None:
        """What was decided last; `None` before the first look."""

    @property
    def members(self) -> tuple[Detail, ...]:
        """What is known of each member, in order."""

    @property
    def records(self) -> Detail:
        """What was written down."""

    @property
    def words(self) -> tuple[Detail, ...]:
        """The overrides that are valid, with the member and the user that gave each (`given_on`, `user`). One that has
        no effect on a member until it is given there names that member (`needed_on`)."""

    @property
    def keys(self) -> Detail | None:
        """The keys that it accepts, by their ids: `current`, `next`; `None` in a cluster of one."""

    @property
    def retry_in(self) -> int | None:
        """In how many seconds a start that failed may be tried again."""

    @property
    def dropped(self) -> tuple[Detail, ...]:
        """Datagrams that were dropped: `why`, `count`."""

@final
class ClusterStatus(Document):
    """The whole cluster (`pfcluster status`)."""

    __match_args__: Final = ("verdict", "reasons", "remedy")
    @property
    def asked_by(self) -> str:
        """Who asked."""

    @property
    def asked_at(self) -> str:
        """When, in seconds since 1970."""

    @property
    def verdict(self) -> Literal["healthy", "degraded", "read_only", "blocked", "down", "split", "unknown"]:
        """`healthy`, `degraded`, `read_only`, `blocked`, `down`, `split` or `unknown`."""

    @property
    def members(self) -> tuple[MemberStatus, ...]:
        """What is known of each member of cluster.conf, in order."""

    @property
    def virtual_addresses(self) -> tuple[Detail, ...]:
        """The virtual addresses, and who holds them."""

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why the verdict is so."""

    @property
    def remedy(self) -> tuple[str, ...]:
        """What a person can do next, in order."""

    @property
    def notes(self) -> tuple[Detail, ...]:
        """What could not be found out on this machine: `message`, `help`."""

@final
class MemberStatus(Document):
    """What is known of one member (`pfcluster status`). What nobody knows is `None`."""

    __match_args__: Final = ("host", "database")
    @property
    def host(self) -> str:
        """Its name."""

    @property
    def address(self) -> str | None:
        """Its management address."""

    @property
    def answers(self) -> bool:
        """Whether it answered in some way. If not, it need not be down."""

    @property
    def enabled(self) -> bool:
        """Whether the member that asks counts it in."""

    @property
    def in_database(self) -> bool:
        """Whether it shares the database that this is about."""

    @property
    def maintenance(self) -> bool | None:
        """Whether it is in maintenance."""

    @property
    def database(self) -> Detail:
        """Its database: `state`, `why`, `connections`, `galera`."""

    @property
    def config_version(self) -> str | None:
        """The version of its configuration."""

    @property
    def supervisor(self) -> str | None:
        """What its supervisor does, in a few words."""

    @property
    def last_backup(self) -> Detail | None:
        """Its last backup of the database: `file`, `time`; both are `None` if there is none."""

    @property
    def notes(self) -> tuple[Detail, ...]:
        """What could not be found out on this machine: `message`, `help`. (Of all members: `ClusterStatus.notes`.)"""

@final
class Sync(Document):
    """What became of the configuration between members, or would become of it (`pfcluster sync`)."""

    __match_args__: Final = ("direction", "members")
    @property
    def direction(self) -> Literal["push", "pull"]:
        """`push`: from here to members; `pull`: from a member to here."""

    @property
    def dry_run(self) -> bool:
        """Nothing was changed."""

    @property
    def config_version(self) -> str | None:
        """The version that members have now; `None` if none was to change."""

    @property
    def members(self) -> tuple[Detail, ...]:
        """What became of each file of each member: `member`, `address`, `files`, `version_state`, `message`."""

    @property
    def complete(self) -> bool:
        """Whether everything arrived; with `dry_run`: whether nothing differs."""

    @property
    def backup(self) -> str | None:
        """The directory where a pull keeps what it has replaced; `None` if it has replaced nothing."""

@final
class ConfigVersions(Document):
    """What all enabled members say of the version of their configuration (`pfcluster conflict --versions`)."""

    __match_args__: Final = ("local", "members")
    @property
    def local(self) -> str:
        """The member that asked."""

    @property
    def now(self) -> str | None:
        """When, in seconds since 1970."""

    @property
    def members(self) -> tuple[Detail, ...]:
        """The members in order, with their `config_version`; `None` where one gave none."""

    @property
    def silent(self) -> tuple[Detail, ...]:
        """Why others are silent: `member`, `why`."""

@final
class Supervisor:
    """The MariaDB supervisor of one member, as a state machine without any I/O. It decides as `select_bootstrap`
    does, and acts on proof, never on a timer: timers only repeat questions.

    How to drive it:

    1. Make it, once per run, with the records that were written down before, and a random `run` that no other run
       has had.
    2. Take `poll_output()` until it is `None`. Carry the outputs out in order.
    3. Wait for whatever comes first: an answer to an output, a datagram, an operator, the end of the database's
       process, or the moment of `poll_timeout()`.
    4. Give it to `handle_input(now, ...)` (`Input("woken")` for the moment). Then 2 again.

    Each `look`, `ask`, `act` and `sync` is answered once, in any order, whenever the answer is there; none of them
    may keep datagrams waiting. `now` is in milliseconds since any beginning; it never goes back, and where it does it counts
    as standing still.

    `members` is the cluster, or host names in the order of cluster.conf: the same on all members. `key` is the
    secret that they share: 32 bytes, or the text of conf/pfcluster.key; it is never shown. `boot` is the
    machine's boot (`/proc/sys/kernel/random/boot_id`): it tells whether a state transfer (SST) was synced to disk
    before a power failure. One that is `passive` decides and tells, but does nothing.

    `signing_key` is the member's own key, with which it signs what it sends: 64 hexadecimal digits; it is never
    shown. `pinned` has the public keys of other members, as `Output("pin")` had them: those are heard only with
    their signature."""

    def __new__(
        cls,
        me: str,
        members: Cluster | Iterable[str],
        key: str | bytes,
        run: int,
        *,
        boot: str | None = None,
        records: str | bytes | Mapping[str, Any] | Document | None = None,
        now: int | None = None,
        passive: bool = False,
        signing_key: str | None = None,
        pinned: Mapping[str, str] | None = None,
    ) -> Supervisor: ...
    def handle_input(self, now: int, input: Input) -> None:
        """Something happens, at `now` (milliseconds)."""

    def read_keys(self, now: int, key: str | bytes) -> None:
        """The key is another one, or has a next one beside it, at `now` (milliseconds): conf/pfcluster.key, or 32
        bytes."""

    def read_signing_key(self, now: int, signing_key: str) -> None:
        """The member's own key is another one, at `now` (milliseconds)."""

    def accept_key(self, now: int, member: str, id: str) -> None:
        """An operator accepts the key with this id that is shown in the name of a member (`refused_keys` in its
        status), in place of the pinned one, at `now` (milliseconds)."""

    def forget_key(self, now: int, host: str) -> None:
        """An operator has the key forgotten that is pinned for a host, at `now` (milliseconds): of one that is not in
        cluster.conf any more."""

    def poll_output(self) -> Output | None:
        """The next thing to be done; `None` if there is nothing more now."""

    def poll_timeout(self) -> tuple[int, str] | None:
        """When to wake it at the latest (milliseconds), and what for; `None` after its end."""

    def status(self, now: int) -> SupervisorStatus:
        """What it knows and does at `now` (milliseconds)."""

@final
class Cluster:
    """A cluster as its files describe it: cluster.conf, and whatever else was given. Frozen: edits make a new
    one."""

    def __bytes__(self) -> bytes: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __copy__(self) -> Cluster: ...
    def __deepcopy__(self, _memo: Any) -> Cluster: ...
    @property
    def zones(self) -> tuple[Zone, ...]:
        """The zones, in order."""

    @property
    def members(self) -> tuple[Member, ...]:
        """The members of all zones, in order."""

    @property
    def layout(self) -> Literal["single_zone", "multi_zone"]:
        """`single_zone` or `multi_zone`."""

    @property
    def clustered(self) -> bool:
        """Whether PacketFence works as a cluster with these files."""

    @property
    def pf_version(self) -> str:
        """The version of PacketFence that the files are read for."""

    @property
    def sections(self) -> tuple[Section, ...]:
        """Sections, keys and values of cluster.conf exactly as PacketFence reads them. Secrets are masked."""

    def check(self) -> Diagnostics:
        """Everything that is wrong with the files."""

    def to_ini(self) -> str:
        """The text of cluster.conf. Bytes that are no UTF-8 are surrogates, as `surrogateescape` has it."""

    def to_dict(self) -> dict[str, Any]:
        """What `pfcluster show --format json` prints, as a dict."""

    def to_json(self) -> str:
        """What `pfcluster show --format json` prints."""

    def member(self, host: str) -> Member:
        """The member of this host name, exactly."""

    def database_members(self, host: str | None = None) -> list[str]:
        """The members that share the database that `host` has a part in, in order, whether they are enabled
        or not. Any other host may ask as well, as long as there is only one database."""

    def seen_by(self, host: str, *, disabled: Iterable[str] | None = None) -> View:
        """The cluster as one member sees it, while it counts the members in `disabled` out."""

    def with_value(self, section: str, key: str, value: str) -> Cluster:
        """The cluster with `key` of a section set to `value`."""

    def without_key(self, section: str, key: str) -> Cluster:
        """The cluster without `key` in a section."""

    def with_section(self, name: str, entries: _Pairs, *, after: str | None = None) -> Cluster:
        """The cluster with a new section, below the section `after` or at the end of the file."""

    def without_section(self, name: str) -> Cluster:
        """The cluster without a section. Comments stay."""

    def with_member(
        self,
        host: str,
        management_ip: str,
        interfaces: _Pairs | None = None,
        *,
        zone: str | None = None,
    ) -> Cluster:
        """The cluster with a new last member of a zone. A single-zone cluster needs no `zone`."""

    def without_member(self, host: str) -> Cluster:
        """The cluster without a member: its section and those of its interfaces are gone. Comments stay."""

def parse(
    cluster_conf: str | bytes,
    *,
    pf_conf: str | bytes | None = None,
    pf_conf_defaults: str | bytes | None = None,
    pfconfig_conf: str | bytes | None = None,
    networks_conf: str | bytes | None = None,
    host: str | None = None,
    disabled: Iterable[str] | None = None,
    pf_version: str | None = None,
    environment: Mapping[str, str] | None = None,
    name: str | None = None,
) -> Cluster:
    """Reads the texts of the files. Faults in them are no exceptions: `check()` reports them all."""

def load(
    cluster_conf: _Path,
    *,
    pf_conf: _Path | None = None,
    networks_conf: _Path | None = None,
    host: str | None = None,
    disabled: Iterable[str] | None = None,
    pf_version: str | None = None,
) -> Cluster:
    """Reads files: a cluster.conf, and others that belong to it."""

def rules() -> tuple[Rule, ...]:
    """All rules, in order of their codes."""

def rule(code_or_name: str) -> Rule:
    """The rule of this code (`PFC012`) or name (`duplicate-address`), with its manual page."""

def quorum(
    members: Cluster | Iterable[str | tuple[str, int | None]],
    *,
    down: Iterable[str] | None = None,
    left: Iterable[str] | None = None,
    split: Iterable[Iterable[str]] | None = None,
) -> WhatIf:
    """What becomes of a healthy cluster in one change; as it is, without one."""

def what_if(
    members: Cluster | Iterable[str | tuple[str, int | None]],
    changes: Iterable[ViewChange],
) -> WhatIf:
    """What becomes of a healthy cluster if all these changes happen, one after the other."""

def alive_quorum(alive: int, enabled: int) -> Literal["majority", "half", "minority"]:
    """Whether `alive` of `enabled` members are an alive quorum (guide 8.1): `majority`, `half` or `minority`."""

def resolve_conflict(
    versions: ConfigVersions | str | bytes | Mapping[str, str | None] | Iterable[tuple[str, str | None]],
    *,
    host: str | None = None,
    now: int | str | None = None,
    policy: Literal["guide", "majority"] | None = None,
) -> Decision:
    """Compares the versions of all enabled members (guide 7.5), in the order of cluster.conf."""

def select_bootstrap(
    members: Cluster | Iterable[str],
    evidence: Iterable[_Evidence],
    *,
    host: str | None = None,
    disabled: Iterable[str] | None = None,
    assume_lost: Iterable[str] | None = None,
    discard: Iterable[str] | None = None,
    trust: Iterable[str] | None = None,
    force: str | None = None,
    seed: str | None = None,
    standalone: bool = False,
    split_confirmed: bool | None = None,
    reform_failed: bool = False,
    silent: Mapping[str, str] | None = None,
    now: int | None = None,
) -> Decision:
    """Which member may bring the database back after an outage, how, and why."""

def grastate(text: str | bytes) -> Grastate:
    """Reads grastate.dat."""

def gvwstate(text: str | bytes) -> Gvwstate:
    """Reads gvwstate.dat."""

def recovered_position(log: str | bytes) -> Position | None:
    """The position in the log of `mariadbd --wsrep-recover`; `None` if the data belong to no history."""

def generate(
    cluster: Cluster,
    what: Literal["keepalived", "haproxy-db", "haproxy-portal", "haproxy-admin", "mariadb", "all"] | None = None,
    *,
    host: str | None = None,
    templates: Mapping[str, str] | None = None,
    advert_int: int | None = None,
    readonly_hook: bool = False,
    dashboard: tuple[str, str] | None = None,
    haproxy_version: str | None = None,
    keepalived_version: str | None = None,
    galera_provider: str | None = None,
    install_dir: str | None = None,
) -> Generated:
    """Generates files for one member: those of `keepalived`, `haproxy-db`, `haproxy-portal`, `haproxy-admin`,
    `mariadb`, or all of them."""

def evidence(
    *,
    root: _Path | None = None,
    host: str | None = None,
    datadir: _Path | None = None,
    socket: _Path | None = None,
    mysql_defaults_file: _Path | None = None,
    timeout: float = 5.0,
    recover_timeout: float | None = None,
) -> Evidence:
    """This member's evidence for the election, as `pfcluster evidence` prints it. The position of a stopped database is
    recovered only with `recover_timeout`, which is in seconds; without, it is unconfirmed."""

def status(
    *,
    root: _Path | None = None,
    host: str | None = None,
    datadir: _Path | None = None,
    socket: _Path | None = None,
    mysql_defaults_file: _Path | None = None,
    database_ca: _Path | None = None,
    backups: _Path | None = None,
    run_directory: _Path | None = None,
    timeout: float = 5.0,
) -> ClusterStatus:
    """The whole cluster, as `pfcluster status` shows it."""

def config_versions(
    *,
    root: _Path | None = None,
    host: str | None = None,
    fingerprints: Iterable[str] | None = None,
    timeout: float = 5.0,
) -> ConfigVersions:
    """The versions of the configuration of all enabled members, asked at their web services side by side, as
    `resolve_conflict` takes them. Who shows a certificate that is not known, neither here nor in `fingerprints`,
    is sent nothing."""

def member_status(
    member: str,
    *,
    root: _Path | None = None,
    host: str | None = None,
    datadir: _Path | None = None,
    socket: _Path | None = None,
    mysql_defaults_file: _Path | None = None,
    database_ca: _Path | None = None,
    backups: _Path | None = None,
    timeout: float = 5.0,
) -> MemberStatus:
    """What one member's database says, asked at its management address as those of the others are; this machine's
    own is asked at its socket. As in `status().members`; what only web services and supervisors know is `None`."""

def push(
    *,
    root: _Path | None = None,
    host: str | None = None,
    file: str | None = None,
    storage: str | None = None,
    with_fingerbank_db: bool = False,
    dry_run: bool = False,
    fingerprints: Iterable[str] | None = None,
    timeout: float = 600.0,
) -> Sync:
    """This member's configuration to all other enabled members, which fetch it from here (`pfcluster sync
    --as-master`). `file` or `storage`: that only, which changes no version. With `dry_run` nothing changes
    anywhere: the answer says what would."""

def pull(
    address: str,
    *,
    root: _Path | None = None,
    host: str | None = None,
    dry_run: bool = False,
    fingerprints: Iterable[str] | None = None,
    timeout: float = 600.0,
) -> Sync:
    """The configuration of the member with this management address to this one (`pfcluster sync --from`). Nothing is
    written before all files have arrived; what is replaced is kept. With `dry_run` nothing changes: the answer says
    what would."""

def _panic(message: str) -> None: ...
def _restore(name: str, json: str, text: str | None, hidden: str) -> Document: ...
def _restore_cluster(texts: Any, others: Any, situation: Any) -> Cluster: ...
def _work() -> int: ...

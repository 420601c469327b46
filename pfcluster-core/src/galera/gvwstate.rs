//! gvwstate.dat: the last primary view a database was in. It is there while the server runs in a primary component and
//! after a crash (guide 4.3); a clean stop removes it.
//!
//! ```text
//! my_uuid: ceba66bf-e6ef-11f1-8414-5e24ec3e259c
//! #vwbeg
//! view_id: 3 ce8182e7-e6ef-11f1-8eee-fa6ced77be5e 3
//! bootstrap: 0
//! member: ce8182e7-e6ef-11f1-8eee-fa6ced77be5e 0
//! member: ceba66bf-e6ef-11f1-8414-5e24ec3e259c 0
//! #vwend
//! ```
//!
//! `view_id` has the kind of the view (3 is primary), the node that named it and its number; `member` a node and its
//! network segment. A view is compared as a whole, so nothing is guessed here: a file that is not complete to the last line
//! end is no view. Empty and torn files occur (Galera writes a new file beside the old one, but power cuts have emptied
//! both). A node that is not in its own list is no fault of the file: a node that starts again with a recovered view takes
//! a new name at once while the list keeps the old one. Only the fourth group of the name is another then, its *incarnation*:
//! measured, a view forms again also when some or all of its nodes have been started in vain before.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

use super::Uuid;

/// The name of a view. The number starts again with each new cluster: names can be told apart, never put in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ViewId {
    /// The node that named it.
    pub uuid: Uuid,
    /// Its number.
    pub seq: u32,
}

impl fmt::Display for ViewId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.uuid, self.seq)
    }
}

/// A view's name among the fields of what it is the view of.
#[derive(Serialize, Deserialize)]
#[serde(remote = "ViewId")]
pub(super) struct ViewFields {
    #[serde(rename = "view_uuid")]
    uuid: Uuid,
    #[serde(rename = "view_seq")]
    seq: u32,
}

/// What gvwstate.dat says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gvwstate {
    /// This node.
    pub my_uuid: Uuid,
    /// The view's name.
    #[serde(flatten, with = "ViewFields")]
    pub view: ViewId,
    /// True if the view began with a bootstrap.
    #[serde(default)]
    pub bootstrap: bool,
    /// The nodes in the view, sorted, without repetitions.
    #[serde(deserialize_with = "each_once")]
    pub members: Vec<Uuid>,
}

fn each_once<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Uuid>, D::Error> {
    let mut members = Vec::<Uuid>::deserialize(deserializer)?;
    members.sort_unstable();
    if members.is_empty() || members.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(de::Error::custom("a view has members, each once"));
    }
    Ok(members)
}

impl Gvwstate {
    /// The name that this node has in the list, perhaps of an earlier incarnation; `None` if it is not in it.
    pub fn listed(&self) -> Option<Uuid> {
        self.members.iter().copied().find(|member| member.is_same_node(self.my_uuid))
    }
}

/// Why a gvwstate.dat can't be understood. Lines count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GvwstateError {
    /// Nothing, or only blanks and NULs.
    #[error("gvwstate.dat is empty")]
    Empty,
    /// The file ends before `#vwend` and its line end.
    #[error("gvwstate.dat is torn: it has no whole `#vwend` line")]
    Torn,
    /// A line that has no place there: unknown, a second of its kind, before `#vwbeg` or after `#vwend`.
    #[error("gvwstate.dat: line {0} is out of place")]
    Misplaced(usize),
    /// A line that does not say what its kind must say.
    #[error("gvwstate.dat: line {0} can't be understood")]
    Line(usize),
    /// The view is not a primary one; its kind.
    #[error("gvwstate.dat has a view of type {0}, but only 3 is primary")]
    NotPrimary(i32),
    /// There is no line of this kind.
    #[error("gvwstate.dat has no `{0}`")]
    Missing(&'static str),
    /// A node is in the view twice.
    #[error("gvwstate.dat has {0} twice in its view")]
    Twice(Uuid),
}

/// The kind of a primary view.
const PRIMARY: i32 = 3;

impl Gvwstate {
    /// Reads gvwstate.dat.
    ///
    /// # Errors
    /// [`GvwstateError`] if the file is torn, or is no primary view with its members.
    pub fn parse(bytes: &[u8]) -> Result<Gvwstate, GvwstateError> {
        let is_padding = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0;
        if bytes.iter().all(is_padding) {
            return Err(GvwstateError::Empty);
        }
        let mut lines = Lines::default();
        for (number, line) in (1..).zip(bytes.split_inclusive(|byte| *byte == b'\n')) {
            if line.iter().all(is_padding) {
                continue;
            }
            if !line.ends_with(b"\n") {
                return Err(GvwstateError::Torn);
            }
            lines.take(str::from_utf8(line).map_err(|_| GvwstateError::Line(number))?, number)?;
        }
        lines.whole()
    }
}

/// What was read so far.
#[derive(Default)]
struct Lines {
    part: Part,
    my_uuid: Option<Uuid>,
    view: Option<ViewId>,
    bootstrap: Option<bool>,
    members: Vec<Uuid>,
}

/// Where in the file a line is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Before,
    View,
    After,
}

impl Lines {
    fn take(&mut self, line: &str, number: usize) -> Result<(), GvwstateError> {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let bad = GvwstateError::Line(number);
        match (self.part, &words[..]) {
            (Part::Before, ["#vwbeg"]) => self.part = Part::View,
            (Part::View, ["#vwend"]) => self.part = Part::After,
            (Part::Before, ["my_uuid:", rest @ ..]) if self.my_uuid.is_none() => {
                let [uuid] = rest else { return Err(bad) };
                self.my_uuid = Some(uuid.parse().map_err(|_| bad)?);
            }
            (Part::View, ["view_id:", rest @ ..]) if self.view.is_none() => {
                let [kind, uuid, seq] = rest else { return Err(bad) };
                let kind = kind.parse::<i32>().map_err(|_| bad)?;
                let uuid = uuid.parse().map_err(|_| bad)?;
                self.view = Some(ViewId { uuid, seq: number_of(seq).ok_or(bad)? });
                if kind != PRIMARY {
                    return Err(GvwstateError::NotPrimary(kind));
                }
            }
            (Part::View, ["bootstrap:", rest @ ..]) if self.bootstrap.is_none() => {
                self.bootstrap = match rest {
                    ["0"] => Some(false),
                    ["1"] => Some(true),
                    _ => return Err(bad),
                };
            }
            (Part::View, ["member:", rest @ ..]) => {
                let [uuid, segment] = rest else { return Err(bad) };
                // The segment says which members share a network; it means nothing here, but must be whole.
                number_of(segment).and_then(|segment| u8::try_from(segment).ok()).ok_or(bad)?;
                self.members.push(uuid.parse().map_err(|_| bad)?);
            }
            _ => return Err(GvwstateError::Misplaced(number)),
        }
        Ok(())
    }

    fn whole(mut self) -> Result<Gvwstate, GvwstateError> {
        if self.part != Part::After {
            return Err(GvwstateError::Torn);
        }
        self.members.sort_unstable();
        if let Some(pair) = self.members.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(GvwstateError::Twice(pair[0]));
        }
        if self.members.is_empty() {
            return Err(GvwstateError::Missing("member"));
        }
        Ok(Gvwstate {
            my_uuid: self.my_uuid.ok_or(GvwstateError::Missing("my_uuid"))?,
            view: self.view.ok_or(GvwstateError::Missing("view_id"))?,
            bootstrap: self.bootstrap.ok_or(GvwstateError::Missing("bootstrap"))?,
            members: self.members,
        })
    }
}

/// A number as it is written: digits only.
fn number_of(text: &str) -> Option<u32> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

//! Laws of the readers of Galera's files and logs: nothing makes them panic, what was cut never says something else, and
//! what Galera writes is read back. The same for the JSON that carries it from member to member.

mod evidence;

use pfcluster_core::galera::{Grastate, Gvwstate, Position, Uuid, ViewId, WsrepStatus, recovered_position};
use pfcluster_tests::property_config;
use proptest::prelude::*;

// Writing as Galera does ----------------------------------------------------------------------------------------------

/// Galera's `SavedState::write_file`: at most 256 bytes, padded with blanks up to `length`.
fn grastate_text(grastate: &Grastate, length: usize) -> Vec<u8> {
    let mut text =
        format!("# GALERA saved state\nversion: 2.1\nuuid:    {}\nseqno:   {}\n", grastate.uuid, grastate.seqno);
    match grastate.safe_to_bootstrap {
        Some(flag) => text += &format!("safe_to_bootstrap: {}\n", u8::from(flag)),
        None => text += "cert_index:\n",
    }
    let mut text = text.into_bytes();
    text.resize(text.len().max(length.min(256)), b' ');
    text
}

/// Galera's `ViewState::write_stream`.
fn gvwstate_text(gvwstate: &Gvwstate, segments: &[u8]) -> Vec<u8> {
    let (view, bootstrap) = (gvwstate.view, u8::from(gvwstate.bootstrap));
    let mut text = format!("my_uuid: {}\n#vwbeg\nview_id: 3 {} {}\n", gvwstate.my_uuid, view.uuid, view.seq);
    text += &format!("bootstrap: {bootstrap}\n");
    for (member, segment) in gvwstate.members.iter().zip(segments.iter().cycle()) {
        text += &format!("member: {member} {segment}\n");
    }
    (text + "#vwend\n").into_bytes()
}

fn uuid() -> impl Strategy<Value = Uuid> {
    prop_oneof![4 => any::<u128>().prop_map(Uuid::from_u128), 1 => Just(Uuid::ZERO)]
}

fn seqno() -> impl Strategy<Value = i64> {
    prop_oneof![Just(-1), 0..100_i64, 0..=i64::MAX]
}

fn grastate() -> impl Strategy<Value = Grastate> {
    (uuid(), seqno(), any::<Option<bool>>()).prop_map(|(uuid, seqno, safe_to_bootstrap)| Grastate {
        uuid,
        seqno,
        safe_to_bootstrap,
    })
}

fn gvwstate() -> impl Strategy<Value = Gvwstate> {
    let members = prop::collection::btree_set(any::<u128>().prop_map(Uuid::from_u128), 1..8);
    (uuid(), uuid(), any::<u32>(), any::<bool>(), members).prop_map(|(my_uuid, uuid, seq, bootstrap, members)| {
        Gvwstate { my_uuid, view: ViewId { uuid, seq }, bootstrap, members: members.into_iter().collect() }
    })
}

/// Files that nearly are what they should be: whole lines and pieces, in any order.
fn pieces(pieces: &'static [&'static [u8]]) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        9 => prop::sample::select(pieces).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

const UUID_TEXT: &[u8] = b"ec9a1a36-e6ed-11f1-823f-231ddacb0bd4";

const GRASTATE: &[&[u8]] = &[
    b"uuid:    ",
    UUID_TEXT,
    b"\n",
    b"\n",
    b"\n",
    b"seqno:   ",
    b"-1",
    b"12",
    b"9223372036854775808",
    b" ",
    b"\0",
    b"\r\n",
    b"safe_to_bootstrap: ",
    b"0",
    b"1",
    b"# x",
    b"cert_index:",
];
const GVWSTATE: &[&[u8]] = &[
    b"my_uuid: ",
    UUID_TEXT,
    b"\n",
    b"\n",
    b"#vwbeg\n",
    b"view_id: 3 ",
    b" 7\n",
    b"bootstrap: 0\n",
    b"member: ",
    b" 0\n",
    b"#vwend\n",
    b"#vwend",
    b"\0",
    b"\r\n",
];
const LOG: &[&[u8]] = &[
    b"WSREP",
    b": Recovered position",
    b":",
    b" ",
    UUID_TEXT,
    b":12",
    b":-1",
    b",0-1-2",
    b"\n",
    b"\n",
    b"\xff",
    b"Skipping wsrep-recover for ",
    b" pair",
    b"skipping position recovery",
    b"[ERROR] ",
    b"Aborting",
    b"Bind on TCP/IP port",
];

// The laws ------------------------------------------------------------------------------------------------------------

proptest! {
    #![proptest_config(property_config())]

    #[test]
    fn nothing_makes_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = Grastate::parse(&bytes);
        let _ = Gvwstate::parse(&bytes);
        let _ = recovered_position(&bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let names = ["wsrep_local_state", "wsrep_cluster_status", "wsrep_incoming_addresses", "wsrep_cluster_size"];
        let _ = WsrepStatus::from_rows(names.into_iter().zip(text.split('\n')));
    }

    #[test]
    fn nor_does_what_is_nearly_right(
        grastate in pieces(GRASTATE), gvwstate in pieces(GVWSTATE), log in pieces(LOG),
    ) {
        let _ = Grastate::parse(&grastate);
        let _ = Gvwstate::parse(&gvwstate);
        let _ = recovered_position(&log);
    }

    #[test]
    fn grastate_is_read_as_it_was_written(grastate in grastate(), length in 0..300_usize) {
        prop_assert_eq!(Grastate::parse(&grastate_text(&grastate, length)), Ok(grastate));
    }

    /// Whatever is cut off, the rest says the same, less, or nothing.
    #[test]
    fn a_cut_grastate_never_says_something_else(grastate in grastate(), length in 0..300_usize) {
        let text = grastate_text(&grastate, length);
        for end in 0..text.len() {
            is_cautious(&text[..end], &grastate)?;
            // The file system gives back blocks that were never written.
            is_cautious(&[&text[..end], &vec![0; text.len() - end][..]].concat(), &grastate)?;
        }
    }

    /// The same for a file that was not written by Galera: what it says whole, it says cut, or less.
    #[test]
    fn nor_does_any_other_file(text in pieces(GRASTATE)) {
        if let Ok(whole) = Grastate::parse(&text) {
            for end in 0..text.len() {
                // A contradiction that was cut off can't be seen: that is why only the whole file counts here.
                if let Ok(cut) = Grastate::parse(&text[..end]) {
                    prop_assert_eq!((cut.uuid, cut.seqno), (whole.uuid, whole.seqno));
                    prop_assert!(cut.safe_to_bootstrap.is_none_or(|flag| whole.safe_to_bootstrap == Some(flag)));
                }
            }
        }
    }

    /// One content written over another, without the padding that Galera puts behind it: the new one, or nothing.
    #[test]
    fn an_overwritten_grastate_is_the_new_one_or_nothing(old in grastate(), new in grastate()) {
        let (old, text) = (grastate_text(&old, 0), grastate_text(&new, 0));
        let rest = old.get(text.len()..).unwrap_or_default();
        is_cautious(&[&text, rest].concat(), &new)?;
    }

    #[test]
    fn gvwstate_is_read_as_it_was_written(
        gvwstate in gvwstate(), segments in prop::collection::vec(any::<u8>(), 1..4),
    ) {
        prop_assert_eq!(Gvwstate::parse(&gvwstate_text(&gvwstate, &segments)), Ok(gvwstate));
    }

    #[test]
    fn a_cut_gvwstate_is_no_view(gvwstate in gvwstate()) {
        let text = gvwstate_text(&gvwstate, &[0]);
        for end in 0..text.len() {
            prop_assert!(Gvwstate::parse(&text[..end]).is_err(), "{}", String::from_utf8_lossy(&text[..end]));
        }
    }

    /// In every form, and cut anywhere: the position or an error, never another position.
    #[test]
    fn a_cut_log_has_the_position_or_none(
        uuid in uuid(), seqno in 0..=i64::MAX, form in 0..6_usize, before in prop::collection::vec(any::<u8>(), 0..50),
    ) {
        let position = Position::new(uuid, seqno);
        let line = match form {
            0 => format!("0 [Note] WSREP: Recovered position: {uuid}:{seqno}"),
            1 => format!("mysqld_safe WSREP: Recovered position {uuid}:{seqno}"),
            2 => format!("0 [Note] [WSREP] Recovered position: {uuid}:{seqno}"),
            3 => format!("WSREP: Recovered position: {uuid}:{seqno},0-1-88"),
            4 => format!("WSREP: Recovered position: {uuid}:0-1-88,{seqno}"),
            _ => format!("mysqld_safe Skipping wsrep-recover for {uuid}:{seqno} pair"),
        };
        let log = [&before, &b"\n"[..], line.as_bytes(), b"\n"].concat();
        prop_assert_eq!(recovered_position(&log), Ok(position));
        for end in 0..log.len() {
            prop_assert!(recovered_position(&log[..end]).is_err());
        }
    }
}

/// It says the same as `whole`, without the flag at most; or it is refused.
fn is_cautious(text: &[u8], whole: &Grastate) -> Result<(), TestCaseError> {
    if let Ok(read) = Grastate::parse(text) {
        let text = String::from_utf8_lossy(text);
        prop_assert_eq!((read.uuid, read.seqno), (whole.uuid, whole.seqno), "{}", text);
        prop_assert!(read.safe_to_bootstrap.is_none_or(|flag| whole.safe_to_bootstrap == Some(flag)), "{}", text);
    }
    Ok(())
}

/// A server's log of a busy year.
#[test]
fn a_huge_log_is_read() {
    let mut log = b"2026-11-23 20:54:56 0 [Note] InnoDB: nothing to see here\n".repeat(1_000_000);
    log.extend(b"WSREP: Recovered position: f9282fe9-e77f-11f1-bcf5-d30baafdcfd0:7\n");
    let position = recovered_position(&log).expect("a position").expect("a history");
    assert_eq!(position.seqno().get(), 7);
    // One endless line.
    assert!(recovered_position(&b"x".repeat(50_000_000)).is_err());
}

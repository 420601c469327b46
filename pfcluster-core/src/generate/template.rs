//! Filling in the user's own templates: `%%tag%%`.
//!
//! PacketFence replaces tags line by line in random order, leaves unknown ones as they are, and once took HAProxy down
//! that way. Here a tag that is not known is an error that names it, and what was put in is never read again.

use super::GenerateError;

/// `template` with every `%%tag%%` replaced; tags are compared without regard to case, as PacketFence does.
///
/// On a line that is a comment, further lines of the value become comments too: a tag that was commented out stays out.
pub(super) fn fill(path: &str, template: &str, tags: &[(&str, &str)]) -> Result<String, GenerateError> {
    let mut out = String::with_capacity(template.len());
    for (number, line) in template.split_inclusive('\n').enumerate() {
        let comment = line.trim_start_matches([' ', '\t']).starts_with('#');
        let mut rest = line;
        while let Some(at) = rest.find("%%") {
            let (before, marked) = rest.split_at(at);
            out.push_str(before);
            let Some((tag, after)) =
                marked[2..].split_once("%%").filter(|(tag, _)| is_tag(tag.trim_matches([' ', '\t'])))
            else {
                // Text. The second sign may begin a tag: `%%%vrrp%%`.
                out.push('%');
                rest = &marked[1..];
                continue;
            };
            let value = tags.iter().find(|(name, _)| name.eq_ignore_ascii_case(tag)).map(|(_, value)| *value);
            let value = value.ok_or_else(|| unknown(path, number + 1, tag, tags))?;
            if comment {
                out.push_str(&value.replace('\n', "\n# "));
            } else {
                out.push_str(value);
            }
            rest = after;
        }
        out.push_str(rest);
    }
    Ok(out)
}

/// True if `tag` is the name of a tag, known or not.
fn is_tag(tag: &str) -> bool {
    !tag.is_empty() && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

fn unknown(path: &str, line: usize, tag: &str, tags: &[(&str, &str)]) -> GenerateError {
    let known: Vec<String> = tags.iter().map(|(name, _)| format!("%%{name}%%")).collect();
    GenerateError::Template {
        path: path.to_owned(),
        line,
        reason: format!("there is no tag %%{tag}%%"),
        help: format!("use one of {}, or write the value itself", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAGS: &[(&str, &str)] = &[("one", "1"), ("lines", "a\nb"), ("tag", "%%one%%"), ("empty", "")];

    fn filled(template: &str) -> Result<String, String> {
        fill("conf/x.conf", template, TAGS).map_err(|error| error.to_string())
    }

    #[test]
    fn tags_are_replaced_wherever_they_stand() {
        for (template, expected) in [
            ("", ""),
            ("no tag", "no tag"),
            ("%%one%%", "1"),
            ("%%ONE%%%%One%%\r\nx%%one%%y\n", "11\r\nx1y\n"),
            ("[%%empty%%]\n", "[]\n"),
            ("  %%lines%%\nx", "  a\nb\nx"),
        ] {
            assert_eq!(filled(template).as_deref(), Ok(expected), "{template:?}");
        }
    }

    #[test]
    fn what_was_put_in_is_not_read_again() {
        assert_eq!(filled("%%tag%% %%one%%").as_deref(), Ok("%%one%% 1"));
        // Nor does it make a tag together with what stands around it.
        assert_eq!(filled("%%%empty%%%one%%%").as_deref(), Ok("%%one%%%"));
    }

    #[test]
    fn percent_signs_that_are_no_tag_stay() {
        for text in
            ["100%", "%%", "%%%", "%%%%", "a %% b", "%%one", "%%a.b%%", "%%one\n%%", "%%(x)%% %", "%\u{e4}%%\u{e4}%%"]
        {
            assert_eq!(filled(text).as_deref(), Ok(text));
        }
        assert_eq!(filled("%%%one%%").as_deref(), Ok("%1"));
        assert_eq!(filled("%%a.b%%one%%").as_deref(), Ok("%%a.b1"));
    }

    #[test]
    fn a_tag_that_there_is_not_is_named_with_its_line() {
        for (template, line, tag) in
            [("%%two%%", 1, "two"), ("x\n\n # %%one-%% ", 3, "one-"), ("%%one%% %% one %%", 1, " one ")]
        {
            assert_eq!(
                filled(template),
                Err(format!("conf/x.conf, line {line}: there is no tag %%{tag}%%")),
                "{template:?}"
            );
        }
    }

    #[test]
    fn a_tag_that_was_commented_out_stays_out() {
        assert_eq!(filled("# %%lines%%\n\t#%%lines%%").as_deref(), Ok("# a\n# b\n\t#a\n# b"));
    }
}

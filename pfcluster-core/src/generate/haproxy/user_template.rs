//! The user's own template: tags filled in, and a word about what the installed HAProxy no longer takes.

use super::super::template::fill;
use super::super::{DaemonVersion, GenerateError};
use super::Draft;

/// What a line begins with, or holds, and the first HAProxy that refuses it.
const REFUSED: &[(&str, DaemonVersion)] = &[
    ("reqadd ", DaemonVersion::new(2, 1)),
    ("rspadd ", DaemonVersion::new(2, 1)),
    ("option http_proxy", DaemonVersion::new(2, 5)),
    ("option forceclose", DaemonVersion::new(2, 5)),
    ("nbproc ", DaemonVersion::new(2, 5)),
    ("bind-process ", DaemonVersion::new(2, 7)),
    ("level admin process ", DaemonVersion::new(2, 7)),
];

impl Draft<'_> {
    /// The user's template, filled in; `None` if there is none.
    pub(super) fn filled_template(&mut self, tags: &[(&'static str, String)]) -> Result<Option<String>, GenerateError> {
        let path = self.daemon.template();
        let Some(template) = self.scene.template(path) else { return Ok(None) };
        let tags: Vec<(&str, &str)> = tags.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let text = fill(path, template, &tags)?;
        for (number, line) in template.lines().enumerate() {
            self.look_at(path, number + 1, line);
        }
        Ok(Some(text))
    }

    fn look_at(&mut self, path: &str, number: usize, line: &str) {
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().collect();
        let line = words.join(" ") + " ";
        if line == "stats auth admin:packetfence " {
            let message = format!("{path}, line {number}: the dashboard opens with admin and packetfence");
            self.notice(message, "write `stats auth %%dashboard_auth%%` and use `--dashboard-password-file FILE`");
        }
        let newest = self.scene.request.options.haproxy;
        let refused = REFUSED.iter().find(|(what, since)| newest >= *since && line.contains(what));
        if let Some((what, since)) = refused {
            let (what, DaemonVersion { major, minor }) = (what.trim_end(), since);
            let message = format!("{path}, line {number}: HAProxy {major}.{minor} and later refuse `{what}`");
            self.notice(message, "take it out of the template; without a template pfcluster writes what works");
        }
    }
}

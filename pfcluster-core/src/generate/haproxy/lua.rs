//! The Lua files that choose a backend for a request.

/// `text` as a Lua string. What is not printable ASCII is written by its number, so that nothing ends the string.
pub(super) fn string(text: &str) -> String {
    let mut out = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.push_str(&format!("\\{}", char::from(byte))),
            b' '..=b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\{byte:03}")),
        }
    }
    out + "\""
}

/// A Lua pattern for exactly `text`: all that could be special is escaped.
fn literal(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_string() } else { format!("%{c}") }).collect()
}

/// Lines of a table that has each of `names` as a key.
fn set<'t>(names: impl IntoIterator<Item = &'t str>) -> String {
    names.into_iter().fold(String::new(), |out, name| out + &format!("    [{}] = true,\n", string(name)))
}

/// Which requests are for whom, in passthrough.lua.
pub(super) struct Portal<'t> {
    /// Lower-case names and addresses of the portal; `*` at the start stands for anything.
    pub(super) hosts: &'t [String],
    /// Stands in for a missing Host header.
    pub(super) name: &'t str,
    /// There is a backend `pki`.
    pub(super) has_pki: bool,
}

impl Portal<'_> {
    pub(super) fn script(&self) -> String {
        let (wild, exact): (Vec<&str>, Vec<&str>) =
            self.hosts.iter().map(String::as_str).partition(|host| host.starts_with('*'));
        let patterns = wild.iter().map(|host| string(&format!("^.*{}$", literal(&host[1..]))));
        let patterns = patterns.fold(String::new(), |out, pattern| out + &format!("    {pattern},\n"));
        let pki = "    elseif starts_with(path, \"/scep/\") or starts_with(path, \"/api/v1/pki/ocsp\") then\n        \
                   txn:set_var(\"req.action\", \"pki\")\n";
        PORTAL
            .replace("@HOSTS@\n", &set(exact))
            .replace("@PATTERNS@\n", &patterns)
            .replace("@PKI@\n", if self.has_pki { pki } else { "" })
            .replace("@NAME@", &string(self.name))
    }
}

/// Which requests are for whom, in `passthrough_admin.lua`.
pub(super) struct Admin<'t> {
    /// Addresses of the members whose API can be asked for.
    pub(super) servers: &'t [String],
    /// Addresses whose netdata can be asked for.
    pub(super) netdata: &'t [String],
    /// The virtual management address.
    pub(super) vip: &'t str,
}

impl Admin<'_> {
    pub(super) fn script(&self) -> String {
        let names = |names: &[String]| set(names.iter().map(String::as_str));
        ADMIN
            .replace("@SERVERS@\n", &names(self.servers))
            .replace("@NETDATA@\n", &names(self.netdata))
            .replace("@PORTAL@", &string(&format!("{}-portal", self.vip)))
            .replace("@NAME@", &string(self.vip))
    }
}

const PORTAL: &str = r#"-- What the portal is called.
local names = {
@HOSTS@
}
local patterns = {
@PATTERNS@
}

local function starts_with(text, start)
    return text:sub(1, #start) == start
end

-- The name in a Host header: no port, no brackets around an IPv6 address, no dot at the end.
local function name_of(host)
    host = host:lower()
    return host:match("^%[(.*)%]") or host:match("^([^:]*)"):gsub("%.$", "")
end

local function is_portal(host)
    local name = name_of(host)
    if names[name] then
        return true
    end
    for _, pattern in ipairs(patterns) do
        if name:match(pattern) then
            return true
        end
    end
    return false
end

-- A request that names no host is for the portal.
core.register_action("change_host", { "http-req" }, function(txn)
    if txn.sf:req_hdr("host") == "" then
        txn:set_var("req.host", @NAME@)
    end
end)

-- Sets the backend; without one the request goes to the portal.
core.register_action("select", { "http-req" }, function(txn)
    local path = txn.sf:path()
    if path:find("/profile.xml", 1, true) then
        return
    elseif starts_with(path, "/.well-known/acme-challenge/") then
        txn:set_var("req.action", "static")
    elseif path:find("/rfc7710", 1, true) then
        txn:set_var("req.action", "proxy")
@PKI@
    elseif not is_portal(txn.sf:req_hdr("host")) then
        txn:set_var("req.action", "proxy")
    end
end)
"#;

const ADMIN: &str = r#"-- Members whose API can be asked for.
local servers = {
@SERVERS@
}
-- Hosts whose netdata can be asked for.
local netdata = {
@NETDATA@
}

local function starts_with(text, start)
    return text:sub(1, #start) == start
end

local function forward(txn, backend, path)
    txn:set_var("req.action", backend)
    txn:set_var("req.path", path ~= "" and path or "/")
end

core.register_action("change_host", { "http-req" }, function(txn)
    if txn.sf:req_hdr("host") == "" then
        txn:set_var("req.host", @NAME@)
    end
end)

-- Sets the backend and the path there; without one the request is for the static files.
core.register_action("admin", { "http-req" }, function(txn)
    local path = txn.sf:path()
    if path == "/api" or starts_with(path, "/api/") then
        local server = txn.sf:req_hdr("x-packetfence-server")
        if server == "" then
            forward(txn, "api", path)
        elseif servers[server] then
            forward(txn, server .. "-api", path)
        else
            -- What is meant for one server must not happen on another.
            txn:set_var("req.action", "none")
        end
    elseif starts_with(path, "/netdata/") then
        local server, rest = path:match("^/netdata/([^/]*)(.*)$")
        if netdata[server] then
            forward(txn, server .. "-netdata", rest)
        else
            txn:set_var("req.action", "none")
        end
    elseif path == "/portal_preview" or starts_with(path, "/portal_preview/") then
        forward(txn, @PORTAL@, path:sub(#"/portal_preview" + 1))
    end
end)
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_string() {
        assert_eq!(string("a\"b\\c\nd\0é"), r#""a\"b\\c\010d\000\195\169""#);
    }

    #[test]
    fn patterns_match_their_text_only() {
        assert_eq!(literal("my-portal.example.com"), "my%-portal%.example%.com");
    }
}

-- Written by pfcluster for pf1-dc2.example.com. Edits are lost: change conf/cluster.conf, conf/pf.conf or the template
-- conf/haproxy-admin.conf instead, and run `pfcluster generate` again.

-- Members whose API can be asked for.
local servers = {
    ["192.168.2.11"] = true,
    ["192.168.1.11"] = true,
    ["192.168.1.12"] = true,
    ["192.168.1.13"] = true,
    ["192.168.2.12"] = true,
}
-- Hosts whose netdata can be asked for.
local netdata = {
    ["127.0.0.1"] = true,
    ["192.168.2.11"] = true,
    ["192.168.1.11"] = true,
    ["192.168.1.12"] = true,
    ["192.168.1.13"] = true,
    ["192.168.2.12"] = true,
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
        txn:set_var("req.host", "192.168.2.10")
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
        forward(txn, "192.168.2.10-portal", path:sub(#"/portal_preview" + 1))
    end
end)

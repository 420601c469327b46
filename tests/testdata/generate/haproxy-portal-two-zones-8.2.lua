-- Written by pfcluster for pf1-dc2.example.com. Edits are lost: change conf/cluster.conf, conf/pf.conf or the template
-- conf/haproxy-portal.conf instead, and run `pfcluster generate` again.

-- What the portal is called.
local names = {
    ["192.168.22.10"] = true,
    ["192.168.22.11"] = true,
    ["192.168.22.12"] = true,
}
local patterns = {
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
        txn:set_var("req.host", "192.168.22.10")
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
    elseif not is_portal(txn.sf:req_hdr("host")) then
        txn:set_var("req.action", "proxy")
    end
end)

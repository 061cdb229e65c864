-- One version's fields, and what has to be true for a change that waits for idle ones.
local function standing(lead, name, version)
    local id = name .. ':' .. version
    local more = redis.call('HMGET', lead .. 'tools:standing:' .. id, 'since', 'pinned')
    local usage = redis.call('HMGET', lead .. 'tools:usage:' .. id, 'calls', 'failures', 'wall_us', 'last_used_at')
    return { redis.call('GET', lead .. 'tools:' .. id), redis.call('GET', lead .. 'tools:status:' .. id),
        more[1], more[2], usage[1], usage[2], usage[3], usage[4] }
end

local function is_idle(lead, id, since)
    local kept = redis.call('HMGET', lead .. 'tools:standing:' .. id, 'created', 'pinned')
    if kept[2] == '1' or tonumber(kept[1]) >= tonumber(since) then return false end
    local used = redis.call('HGET', lead .. 'tools:usage:' .. id, 'last_used_at')
    return not used or tonumber(used) < tonumber(since)
end

local function changed(lead, names)
    local generation = redis.call('INCR', lead .. 'tools:generation')
    for _, name in ipairs(names) do redis.call('ZADD', lead .. 'tools:changed', generation, name) end
end

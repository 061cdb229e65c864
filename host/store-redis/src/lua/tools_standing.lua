-- KEYS index; ARGV lead, name, version, idle since or nothing, then one of: 'status', it, time;
-- 'pinned', '1' or '0'; 'remove'.
local lead, name, version = ARGV[1], ARGV[2], ARGV[3]
local id = name .. ':' .. version
if redis.call('SISMEMBER', KEYS[1], id) == 0 then
    if ARGV[5] == 'remove' then return 0 end
    return -2
end
if ARGV[4] ~= '' and not is_idle(lead, id, ARGV[4]) then return 0 end
local status = redis.call('GET', lead .. 'tools:status:' .. id)
if ARGV[5] == 'status' then
    if status == ARGV[6] then return 0 end
    redis.call('SET', lead .. 'tools:status:' .. id, ARGV[6])
    redis.call('HSET', lead .. 'tools:standing:' .. id, 'since', ARGV[7])
elseif ARGV[5] == 'pinned' then
    if redis.call('HGET', lead .. 'tools:standing:' .. id, 'pinned') == ARGV[6] then return 0 end
    redis.call('HSET', lead .. 'tools:standing:' .. id, 'pinned', ARGV[6])
else
    if ARGV[4] ~= '' and status ~= 'deprecated' then return 0 end
    redis.call('DEL', lead .. 'tools:' .. id, lead .. 'tools:status:' .. id,
        lead .. 'tools:standing:' .. id, lead .. 'tools:usage:' .. id)
    redis.call('SREM', KEYS[1], id)
    redis.call('SREM', lead .. 'tools:versions:' .. name, version)
    if redis.call('SCARD', lead .. 'tools:versions:' .. name) == 0 then
        redis.call('ZREM', lead .. 'tools:names', name)
    end
end
changed(lead, { name })
return 1

-- KEYS index; ARGV lead, then for each record: name, version, digest, skeleton, component, created, record.
local lead = ARGV[1]
local claims, digests, fresh = {}, {}, {}
for i = 2, #ARGV, 7 do
    local name, version, digest, skeleton = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
    local id, claim = name .. ':' .. version, name .. ' ' .. ARGV[i + 4]
    local held = claims[skeleton] or redis.call('HGET', lead .. 'tools:claims', skeleton)
    if held and held ~= claim then return -1 end
    claims[skeleton] = claim
    -- Also of what was removed: a version never comes back with other bytes.
    local kept = digests[id] or redis.call('HGET', lead .. 'tools:digests', id)
    if kept and kept ~= digest then return -1 end
    if not digests[id] and redis.call('SISMEMBER', KEYS[1], id) == 0 then fresh[#fresh + 1] = i end
    digests[id] = digest
end
if #fresh == 0 then return 0 end
local names = {}
for _, i in ipairs(fresh) do
    local name, version = ARGV[i], ARGV[i + 1]
    local id = name .. ':' .. version
    redis.call('SET', lead .. 'tools:' .. id, ARGV[i + 6])
    redis.call('SET', lead .. 'tools:status:' .. id, 'active')
    redis.call('DEL', lead .. 'tools:usage:' .. id)
    redis.call('HSET', lead .. 'tools:standing:' .. id, 'created', ARGV[i + 5], 'since', ARGV[i + 5], 'pinned', '0')
    redis.call('HSET', lead .. 'tools:claims', ARGV[i + 3], name .. ' ' .. ARGV[i + 4])
    redis.call('HSET', lead .. 'tools:digests', id, ARGV[i + 2])
    redis.call('SADD', KEYS[1], id)
    redis.call('SADD', lead .. 'tools:versions:' .. name, version)
    redis.call('ZADD', lead .. 'tools:names', 0, name)
    names[#names + 1] = name
end
changed(lead, names)
return 1

-- KEYS audit, lead; ARGV then for each entry: number, previous, digest, tenant, lead of the tenant,
-- call, root, text; call and root are empty for an entry about no call.
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local next = 1
if last[1] then next = tonumber(string.match(last[1][1], '^%d+')) + 1 end
for i = 1, #ARGV, 8 do
    if tonumber(ARGV[i]) ~= next then return -1 end
    next = next + 1
end
for i = 1, #ARGV, 8 do
    redis.call('XADD', KEYS[1], ARGV[i] .. '-0', 'previous', ARGV[i + 1], 'digest', ARGV[i + 2],
        'tenant', ARGV[i + 3], 'call', ARGV[i + 5], 'root', ARGV[i + 6], 'text', ARGV[i + 7])
    redis.call('ZADD', ARGV[i + 4] .. 'audit:entries', ARGV[i], ARGV[i])
    redis.call('SADD', KEYS[2] .. 'audit:tenants', ARGV[i + 4])
    if ARGV[i + 6] ~= '' then
        redis.call('ZADD', ARGV[i + 4] .. 'audit:call:' .. ARGV[i + 6], ARGV[i], ARGV[i])
        if ARGV[i + 5] ~= ARGV[i + 6] then
            redis.call('SET', ARGV[i + 4] .. 'audit:root:' .. ARGV[i + 5], ARGV[i + 6])
        end
    end
end
return 1

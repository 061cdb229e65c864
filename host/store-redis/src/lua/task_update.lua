-- KEYS task, lead of the tenant's lists by status; ARGV id, tenant, status, updated, record, expected.
local kept = redis.call('HMGET', KEYS[1], 'tenant', 'status', 'updated', 'live')
if kept[1] ~= ARGV[2] then return -2 end
if kept[3] ~= ARGV[6] or (kept[4] and kept[4] ~= '') then return -1 end
redis.call('HSET', KEYS[1], 'status', ARGV[3], 'updated', ARGV[4], 'record', ARGV[5])
if kept[2] ~= ARGV[3] then
    redis.call('ZREM', KEYS[2] .. kept[2], ARGV[1])
    redis.call('ZADD', KEYS[2] .. ARGV[3], 0, ARGV[1])
end
return 1

-- KEYS task, tasks of the tenant, those of its status; ARGV id, tenant, status, updated, record.
if redis.call('EXISTS', KEYS[1]) == 1 then return -1 end
redis.call('HSET', KEYS[1], 'tenant', ARGV[2], 'status', ARGV[3], 'updated', ARGV[4], 'record', ARGV[5])
redis.call('ZADD', KEYS[2], 0, ARGV[1])
redis.call('ZADD', KEYS[3], 0, ARGV[1])
return 1

-- KEYS run, lead of the tasks' keys; ARGV tenant, agent. Answers a code, the run's fields and the
-- task's record, which are there with code 1.
local kept = redis.call('HMGET', KEYS[1], 'tenant', 'over', 'task')
if kept[1] ~= ARGV[1] then return { -2, { false, false, false, false, false }, false } end
if kept[2] == '1' then return { -1, { false, false, false, false, false }, false } end
redis.call('HINCRBY', KEYS[1], 'epoch', 1)
redis.call('HSET', KEYS[1], 'agent', ARGV[2])
local run = redis.call('HMGET', KEYS[1], 'record', 'epoch', 'agent', 'cancel', 'updated')
return { 1, run, redis.call('HGET', KEYS[2] .. kept[3], 'record') }

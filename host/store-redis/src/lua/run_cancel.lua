-- KEYS run; ARGV tenant, time. Answers a code and the run's fields, which are there with code 1.
local kept = redis.call('HMGET', KEYS[1], 'tenant', 'over', 'cancel')
if kept[1] ~= ARGV[1] then return { -2, { false, false, false, false, false } } end
if kept[2] ~= '1' and kept[3] ~= '1' then
    redis.call('HSET', KEYS[1], 'cancel', '1', 'updated', ARGV[2])
end
return { 1, redis.call('HMGET', KEYS[1], 'record', 'epoch', 'agent', 'cancel', 'updated') }

-- KEYS secret, places; ARGV place, head as it was read or nothing, head, sealed value.
local kept = redis.call('HGET', KEYS[1], 'head')
if (kept or '') ~= ARGV[2] then return -1 end
redis.call('HSET', KEYS[1], 'head', ARGV[3], 'sealed', ARGV[4])
redis.call('ZADD', KEYS[2], 0, ARGV[1])
return 1

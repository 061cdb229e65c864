-- KEYS values, their keys in order, their sum.
-- ARGV key, 'set' or 'remove', value, 'always', 'absent' or 'holds', expected value, quota: entries, bytes, bytes of a value.
-- Answers 0 differs, 1 made and new, 2 made and there before, -1 entries full, -2 bytes full, -3 value too large.
local found = redis.call('HGET', KEYS[1], ARGV[1])
if ARGV[4] == 'absent' and found then return 0 end
if ARGV[4] == 'holds' and found ~= ARGV[5] then return 0 end
local sum = redis.call('HMGET', KEYS[3], 'entries', 'bytes')
local entries, bytes = tonumber(sum[1] or 0), tonumber(sum[2] or 0)
local more, larger = entries, bytes
if found then more, larger = more - 1, larger - #ARGV[1] - #found end
if ARGV[2] == 'set' then more, larger = more + 1, larger + #ARGV[1] + #ARGV[3] end
if ARGV[2] == 'set' and #ARGV[3] > tonumber(ARGV[8]) then return -3 end
if more > tonumber(ARGV[6]) and more > entries then return -1 end
if larger > tonumber(ARGV[7]) and larger > bytes then return -2 end
redis.call('HSET', KEYS[3], 'entries', more, 'bytes', larger)
if ARGV[2] == 'set' then
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
    redis.call('ZADD', KEYS[2], 0, ARGV[1])
elseif found then
    redis.call('HDEL', KEYS[1], ARGV[1])
    redis.call('ZREM', KEYS[2], ARGV[1])
end
if found then return 2 end
return 1

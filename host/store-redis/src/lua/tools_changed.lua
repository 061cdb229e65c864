-- KEYS changed, generation; ARGV after, how many. Answers the generation to ask with next, 1 when
-- there are more, and the names.
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, tonumber(ARGV[2]))
local names, last = {}, nil
for i = 1, #found, 2 do
    names[#names + 1] = found[i]
    last = found[i + 1]
end
if #names < tonumber(ARGV[2]) then
    return { tonumber(redis.call('GET', KEYS[2]) or 0), 0, names }
end
-- The rest of the last generation: it is one write, and is told as one.
names = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[1], last)
local more = redis.call('ZCOUNT', KEYS[1], '(' .. last, '+inf') > 0
if not more then return { tonumber(redis.call('GET', KEYS[2])), 0, names } end
return { tonumber(last), 1, names }

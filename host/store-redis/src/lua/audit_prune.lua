-- KEYS audit, lead; ARGV the number up to which entries go. Answers a code, and with 1 how many went.
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
if last[1] and tonumber(string.match(last[1][1], '^%d+')) <= tonumber(ARGV[1]) then return { -1, 0 } end
local gone = redis.call('XTRIM', KEYS[1], 'MINID', string.format('%.0f', tonumber(ARGV[1]) + 1))
for _, lead in ipairs(redis.call('SMEMBERS', KEYS[2] .. 'audit:tenants')) do
    redis.call('ZREMRANGEBYSCORE', lead .. 'audit:entries', '-inf', ARGV[1])
end
return { 1, gone }

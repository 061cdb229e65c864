-- KEYS index; ARGV lead, then for each use: name and version as one, calls, failures, time, last use or nothing.
local function add(usage, field, count)
    -- A sum that would overflow stays at the largest number instead.
    local sum = redis.pcall('HINCRBY', usage, field, count)
    if type(sum) == 'table' then redis.call('HSET', usage, field, '9223372036854775807') end
end
for i = 2, #ARGV, 5 do
    if redis.call('SISMEMBER', KEYS[1], ARGV[i]) == 1 then
        local usage = ARGV[1] .. 'tools:usage:' .. ARGV[i]
        add(usage, 'calls', ARGV[i + 1])
        add(usage, 'failures', ARGV[i + 2])
        add(usage, 'wall_us', ARGV[i + 3])
        local last = redis.call('HGET', usage, 'last_used_at')
        if ARGV[i + 4] ~= '' and (not last or tonumber(last) < tonumber(ARGV[i + 4])) then
            redis.call('HSET', usage, 'last_used_at', ARGV[i + 4])
        end
    end
end
return 1

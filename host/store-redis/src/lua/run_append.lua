-- KEYS run, its log, its task, unfinished runs, lead of the tenant's lists of tasks by status.
-- ARGV run, tenant, task, 1 when over, run's record, epoch, updated, agent, seq, then the task's
-- status, updated and record or three empty texts, then each event's number and record.
local kept = redis.call('HMGET', KEYS[1], 'tenant', 'over', 'epoch', 'seq', 'task')
if kept[1] ~= ARGV[2] then return -2 end
if kept[2] == '1' or kept[3] ~= ARGV[6] or tonumber(kept[4]) + 1 ~= tonumber(ARGV[13]) then return -3 end
if kept[5] ~= ARGV[3] then return -1 end
redis.call('HSET', KEYS[1], 'over', ARGV[4], 'record', ARGV[5], 'updated', ARGV[7], 'agent', ARGV[8], 'seq', ARGV[9])
for i = 13, #ARGV, 2 do redis.call('XADD', KEYS[2], ARGV[i] .. '-0', 'record', ARGV[i + 1]) end
if ARGV[4] == '1' then
    redis.call('HSET', KEYS[3], 'live', '')
    redis.call('ZREM', KEYS[4], ARGV[1] .. ' ' .. ARGV[2])
end
if ARGV[12] ~= '' then
    local status = redis.call('HGET', KEYS[3], 'status')
    redis.call('HSET', KEYS[3], 'status', ARGV[10], 'updated', ARGV[11], 'record', ARGV[12])
    if status ~= ARGV[10] then
        redis.call('ZREM', KEYS[5] .. status, ARGV[3])
        redis.call('ZADD', KEYS[5] .. ARGV[10], 0, ARGV[3])
    end
end
return 1

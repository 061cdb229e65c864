-- KEYS run, its log, its task, runs of the tenant, runs of the task, unfinished runs, lead of the
-- tenant's lists of tasks by status.
-- ARGV run, tenant, task, 1 when over, run's record, epoch, updated, agent, seq, cancel, then the
-- task's status, updated and record or three empty texts, then the event's number and record.
if redis.call('EXISTS', KEYS[1]) == 1 or ARGV[14] ~= '1' then return -1 end
local task = redis.call('HMGET', KEYS[3], 'tenant', 'status', 'live')
if task[1] ~= ARGV[2] then return -2 end
if task[2] == 'cancelled' or (task[3] and task[3] ~= '') then return -1 end
redis.call('HSET', KEYS[1], 'tenant', ARGV[2], 'task', ARGV[3], 'over', ARGV[4], 'record', ARGV[5],
    'epoch', ARGV[6], 'updated', ARGV[7], 'agent', ARGV[8], 'seq', ARGV[9], 'cancel', ARGV[10])
for i = 14, #ARGV, 2 do redis.call('XADD', KEYS[2], ARGV[i] .. '-0', 'record', ARGV[i + 1]) end
redis.call('ZADD', KEYS[4], 0, ARGV[1])
redis.call('ZADD', KEYS[5], 0, ARGV[1])
local live = ''
if ARGV[4] ~= '1' then
    live = ARGV[1]
    redis.call('ZADD', KEYS[6], 0, ARGV[1] .. ' ' .. ARGV[2])
end
redis.call('HSET', KEYS[3], 'live', live)
if ARGV[13] ~= '' then
    redis.call('HSET', KEYS[3], 'status', ARGV[11], 'updated', ARGV[12], 'record', ARGV[13])
    if task[2] ~= ARGV[11] then
        redis.call('ZREM', KEYS[7] .. task[2], ARGV[3])
        redis.call('ZADD', KEYS[7] .. ARGV[11], 0, ARGV[3])
    end
end
return 1

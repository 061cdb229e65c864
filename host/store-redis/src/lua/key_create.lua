-- KEYS key; ARGV record.
if redis.call('SETNX', KEYS[1], ARGV[1]) == 1 then return 1 end
return -1

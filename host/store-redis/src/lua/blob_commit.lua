-- Makes a blob visible whose chunks are there: KEYS head, chunks...; ARGV length, lengths of chunks...
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
for i = 2, #KEYS do
    if redis.call('STRLEN', KEYS[i]) ~= tonumber(ARGV[i]) then return -2 end
end
for i = 2, #KEYS do redis.call('PERSIST', KEYS[i]) end
redis.call('SET', KEYS[1], ARGV[1])
return 1

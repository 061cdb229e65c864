-- KEYS index; ARGV lead, then names. Answers, for each name, the fields of each of its versions.
local found = {}
for i = 2, #ARGV do
    local versions = {}
    for j, version in ipairs(redis.call('SMEMBERS', ARGV[1] .. 'tools:versions:' .. ARGV[i])) do
        versions[j] = standing(ARGV[1], ARGV[i], version)
    end
    found[#found + 1] = versions
end
return found

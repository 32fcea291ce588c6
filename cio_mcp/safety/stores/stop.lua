-- Returns whether everything is stopped, "1" or "0". A Redis that has lost it is told what the replica saw last.
local known = redis.call('GET', KEYS[1])
if not known and ARGV[1] ~= '' then
  redis.call('SET', KEYS[1], ARGV[1])
end
return known or ARGV[1]

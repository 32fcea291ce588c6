-- Returns the word under which everything is stopped, "0" if nothing is. Whatever is no word of ours stops, too.
-- A Redis that has lost a stop is told what the replica saw last.
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'none' then
  if ARGV[1] == '0' then
    return '0'
  end
  redis.call('SET', KEYS[1], ARGV[1])
  return ARGV[1]
end
return kind == 'string' and redis.call('GET', KEYS[1]) or 'a ' .. kind

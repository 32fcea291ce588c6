-- Adds one to those who have stopped everything, or takes one away: "0", or "stopped:" and their names with commas.
-- What somebody else has written stays, and stops. Returns what stands there now.
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'none' and kind ~= 'string' then
  return 'a ' .. kind
end
local known = redis.call('GET', KEYS[1]) or '0'
local listed = known == '0' and '' or string.match(known, '^stopped:([%w,]+)$')
if not listed then
  return known
end
local names = {}
for name in string.gmatch(listed, '[^,]+') do
  if name ~= ARGV[1] then
    table.insert(names, name)
  end
end
if ARGV[2] == '1' then
  table.insert(names, ARGV[1])
end
local now = #names == 0 and '0' or 'stopped:' .. table.concat(names, ',')
redis.call('SET', KEYS[1], now)
return now

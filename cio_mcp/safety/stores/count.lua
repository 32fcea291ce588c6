-- Counts a send against caps, if each has room for its recipients; to count none is to look.
--
-- A count belongs to a window, to a slice of it (a 60th) and to a replica. A slice leaves its window as a
-- whole, so that nothing is forgotten too early. What is sent later, at the time `due`, belongs to the slice of
-- that time, and a cap holds for the fullest window that this slice is in. After the windows come the counts
-- that the replica has made itself, for a Redis that has lost them.
--
-- Returns the seconds to wait (0: it is counted, -1: there will never be room, -2: there is something that is no
-- count of ours, and nothing is counted), how many are counted in the first window, and where it was counted.
local counts = KEYS[1]
local kind = redis.call('TYPE', counts).ok
if kind ~= 'none' and kind ~= 'hash' then
  return {-2, 0, {}}
end
local replica, recipients, windows = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[4])
local now = tonumber(redis.call('TIME')[1])
local due = math.max(now, tonumber(ARGV[3]))
local caps, found, longest = {}, {}, 0
for at = 5, 3 + 2 * windows, 2 do
  caps[ARGV[at]], found[ARGV[at]] = tonumber(ARGV[at + 1]), {}
  longest = math.max(longest, tonumber(ARGV[at]))
end
for at = 5 + 2 * windows, #ARGV, 2 do
  redis.call('HSETNX', counts, ARGV[at], ARGV[at + 1])
end

local known = redis.call('HGETALL', counts)
for at = 1, #known, 2 do
  local ours = string.match(known[at], '^%d+:%d+:%x+$') and string.match(known[at + 1], '^%d+$')
  if not ours or #known[at + 1] > 15 then
    return {-2, 0, {}}
  end
end
for at = 1, #known, 2 do
  local window, slice = string.match(known[at], '^(%d+):(%d+):')
  local leaves = (slice + 1) * window / 60 + window
  if leaves <= now then
    redis.call('HDEL', counts, known[at])
  elseif found[window] then
    table.insert(found[window], {tonumber(slice), leaves, tonumber(known[at + 1])})
  end
end

-- The recipients in a window of 60 slices and the one that is not over, by its last slice.
local function within(slices, last)
  local total = 0
  for _, slice in ipairs(slices) do
    if last - 60 <= slice[1] and slice[1] <= last then
      total = total + slice[3]
    end
  end
  return total
end

local wait, totals = 0, {}
for window, most in pairs(caps) do
  local here = math.floor(due * 60 / window)
  totals[window] = within(found[window], here)
  for _, slice in ipairs(found[window]) do
    if here < slice[1] and slice[1] <= here + 60 then
      totals[window] = math.max(totals[window], within(found[window], slice[1]))
    end
  end
  local beyond = totals[window] + recipients - most
  if recipients > most then
    wait = -1
  end
  table.sort(found[window], function(one, other) return one[2] < other[2] end)
  for _, slice in ipairs(found[window]) do
    if beyond > 0 and wait >= 0 then
      beyond = beyond - slice[3]
      wait = math.max(wait, slice[2] - now)
    end
  end
end

local fields = {}
if wait == 0 and recipients > 0 then
  for window in pairs(caps) do
    local field = string.format('%s:%d:%s', window, math.floor(due * 60 / window), replica)
    redis.call('HINCRBY', counts, field, recipients)
    table.insert(fields, field)
  end
  -- Another process may count in longer windows, or later ones.
  if redis.call('TTL', counts) < due - now + 2 * longest then
    redis.call('EXPIRE', counts, due - now + 2 * longest)
  end
end
return {math.ceil(wait), totals[ARGV[5]], fields}

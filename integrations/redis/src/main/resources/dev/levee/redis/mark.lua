-- The time of a shard, for the scripts that come after this text. Whole numbers below 2^53 only, since a number of Lua is
-- a double; times in microseconds. All reads come before the first write, so a script that fails has changed nothing.
--
-- KEYS[1]  the mark of the shard: m1 birth time server full; see ADR 147
-- ARGV     node, sequence, latest time it can be, 1 if a shard that is new to the process starts full, longest time to
--          fill
local JUMP = 1000000
local now = redis.call('TIME')
local clock = now[1] * 1000000 + now[2]
local node, sequence = ARGV[1], ARGV[2]

local function text(number) return string.format('%.0f', number) end

local function words(line)
  local found = {}
  for word in string.gmatch(line, '[^ ]+') do found[#found + 1] = word end
  return found
end

local function isWhole(number, low) return number and number >= low and number < 9007199254740992 end

local function foreign(key)
  return redis.error_reply('LEVEEFOREIGN ' .. key .. ' holds something that is not of Levee, or of another version')
end

-- The time of the shard: only grows, by what has passed for the server and for the process that asks, the smaller one.
local birth, time, server, full
local mark = redis.call('GET', KEYS[1])
if mark then
  local found = words(mark)
  birth, time, server, full = tonumber(found[2]), tonumber(found[3]), tonumber(found[4]), tonumber(found[5])
  if found[1] ~= 'm1' or not (isWhole(birth, 0) and isWhole(time, 1) and isWhole(server, 1) and isWhole(full, 0)) then
    return foreign(KEYS[1])
  end
  local there = time + math.max(0, clock - server)
  time = math.max(time, math.min(there, tonumber(ARGV[3])))
  local lost = there - time
  if lost > JUMP then full = math.max(full, time + math.min(lost, tonumber(ARGV[5]))) end
  server = clock
else
  birth, time, server, full = clock, clock, clock, 0
  if ARGV[4] == '1' then birth = 0 end
end

local function keepMark()
  redis.call('SET', KEYS[1], table.concat({ 'm1', text(birth), text(time), text(server), text(full) }, ' '))
end

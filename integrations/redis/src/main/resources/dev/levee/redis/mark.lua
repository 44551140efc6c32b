-- The time of a shard, for the scripts that come after this text. Whole numbers below 2^53 only, since a number of Lua
-- is a double; times in microseconds. All reads come before the first write, so a script that fails has changed
-- nothing. Numbers are packed as doubles, little-endian: reading and writing them as text took most of the time.
--
-- KEYS[1]  the mark of the shard: m2 birth time server full wall; see ADR 147 and ADR 185
-- ARGV[1]  node, sequence, latest time that it can be, how much the process knows (0: of the shard; 1: nothing;
--          2: nothing, and a shard that is new starts full), wall clock of the process, longest time to fill
local JUMP, MARK = 1000000, '<c2ddddd'
local now = redis.call('TIME')
local clock = now[1] * 1000000 + now[2]
local node, sequence, latest, knows, wall, fill = struct.unpack('<c13c16dddd', ARGV[1])

local function isWhole(number, low)
  return number and number >= low and number < 9007199254740992 and number % 1 == 0
end

local function foreign(key)
  return 'LEVEEFOREIGN ' .. key .. ' holds something that is not of Levee, or of another version'
end

-- The time of the shard: only grows, by what has passed for the server and for the process that asks, the smaller one.
-- A process that knows nothing of the shard is believed what has passed by its wall clock.
local birth, time, server, full = clock, clock, clock, 0
local mark = redis.call('GET', KEYS[1])
if mark then
  local kind, seen
  if #mark == 42 then kind, birth, time, server, full, seen = struct.unpack(MARK, mark) end
  if kind ~= 'm2' or not (isWhole(birth, 0) and isWhole(time, 1) and isWhole(server, 1) and isWhole(full, 0)
      and isWhole(seen, 0)) then
    return redis.error_reply(foreign(KEYS[1]))
  end
  local there = time + math.max(0, clock - server)
  if knows > 0 then latest = math.min(latest, time + math.max(0, wall - seen)) end
  time = math.max(time, math.min(there, latest))
  local lost = there - time
  if lost > JUMP then full = math.max(full, time + math.min(lost, fill)) end
elseif knows == 2 then
  birth = 0
end

local function keepMark()
  redis.call('SET', KEYS[1], struct.pack(MARK, 'm2', birth, time, clock, full, wall))
end

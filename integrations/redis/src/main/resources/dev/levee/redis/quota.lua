-- Takes permits of limits that processes share. One shard: all keys have the hash tag of the mark.
--
-- KEYS  the mark, then one key for each request
-- ARGV  that of the mark, then one for each request: revision kind c1 c2 c3 used taken needed demanded wanted terms
--       kind t: c1 units a microsecond, c2 units a permit, c3 burst; w: c1 length, c2 permits, c3 grain of time
--
-- key   q2 revision kind c1 c2 c3 s1 s2 s3 terms, then for each node, the one that has asked last at the end: id,
--       sequence, and what it was answered, of which the time is when it has asked
--       kind t: s1 time, s2 level, 0 if full; w: s1 start, s2 taken in this window, s3 in the one before
--
-- answer: time, then for each request: code permits wait remaining reset sharers time; code 1: the terms apply, 2: they
-- contradict, and the terms follow; 3: the key cannot be used, and the reason follows. A wait of -1 is for ever.
local NODES, MEMORY, SHARING, MARGIN, DEBTS = 64, 10000000, 2000000, 5000000, 65
local REQUEST, STATE, ENTRY = '<c16c1ddddddddBc0', '<c2c16c1ddddddBc0', '<c13c16dddddd'
local LEAST, SIZE, HEARD = 68, 77, 29

-- The state of a key that is not there: refilled from nothing since the birth, or certain to be full at a time.
local function blank(it)
  if it.kind == 't' then
    local most = it.c2 * it.c3
    it.s1, it.s2, it.s3 = time, most - (time - birth) * it.c1, 0
    it.s2 = math.min(most, math.max(0, it.s2, (full - time) * it.c1))
  else
    local till = math.max(birth + it.c1, full)
    it.s1, it.s2, it.s3 = time, 0, 0
    if till > time then it.s1, it.s3 = math.min(time, till - it.c1), it.c2 end
  end
end

local function pass(it)
  if it.s1 > time then it.s1 = time end
  local passed = time - it.s1
  if it.kind == 't' then
    it.s1, it.s2 = time, math.max(0, it.s2 - passed * it.c1)
  elseif passed >= it.c1 then
    local turns = math.floor(passed / it.c1)
    it.s1 = it.s1 + turns * it.c1
    if turns > DEBTS + 1 then turns = DEBTS + 1 end
    it.s3 = math.max(0, math.min(it.c2, it.s2 - (turns - 1) * it.c2))
    it.s2 = math.max(0, it.s2 - turns * it.c2)
  end
end

-- What is left of a window, in grains, rounded up; and its length in grains, rounded down.
local function grains(it)
  local length = math.floor(it.c1 / it.c3)
  return math.min(length, math.ceil((it.c1 - (time - it.s1)) / it.c3)), length
end

local function remaining(it)
  if it.kind == 't' then return math.floor((it.c2 * it.c3 - it.s2) / it.c2) end
  local left, length = grains(it)
  return it.c2 - it.s2 - math.ceil(it.s3 * left / length)
end

local function charge(it, permits)
  local capacity, unit = it.c2, 1
  if it.kind == 't' then capacity, unit = it.c3, it.c2 end
  local most = DEBTS * capacity
  it.s2 = math.min(most * unit, it.s2 + math.min(most, permits) * unit)
end

-- What comes back is less by what time has given since it was taken, or else a late copy would mint permits.
local function comesBack(it, permits, taken)
  if it.kind == 't' then
    local credit = math.min(DEBTS * it.c3, permits) * it.c2 - math.max(0, time - taken) * it.c1
    it.s2 = math.max(0, it.s2 - math.max(0, credit))
  elseif taken >= it.s1 then
    it.s2 = math.max(0, it.s2 - permits)
  end
end

local function reset(it)
  if it.kind == 't' then return math.ceil(it.s2 / it.c1) end
  if it.s2 == 0 and it.s3 == 0 then return 0 end
  return it.c1 - (time - it.s1) + math.ceil(it.s2 / it.c2) * it.c1
end

-- The time until permits fit; window by window, all windows of a debt in one step.
local function wait(it, permits)
  if it.kind == 't' then
    if permits > it.c3 then return -1 end
    return math.max(1, math.ceil((it.s2 + permits * it.c2 - it.c2 * it.c3) / it.c1))
  end
  if permits > it.c2 then return -1 end
  local _, length = grains(it)
  local waited, before, current, rest = 0, it.s3, it.s2, it.c1 - (time - it.s1)
  while true do
    local room, inTime = it.c2 - current - permits, 0
    if room >= 0 then
      inTime = before <= room and it.c1 or math.floor(room * length / before) * it.c3
    end
    if inTime > 0 then return math.max(1, waited + math.max(0, rest - inTime)) end
    local turns = room < 0 and math.max(1, math.floor((current - it.c2) / it.c2)) or 1
    waited = waited + rest + (turns - 1) * it.c1
    before = math.max(0, math.min(it.c2, current - (turns - 1) * it.c2))
    current = math.max(0, current - turns * it.c2)
    rest = it.c1
  end
end

-- Other terms: as many permits stay used as were.
local function convert(it, to)
  if it.kind == 't' and to.kind == 't' then
    to.s1, to.s2, to.s3 = time, math.ceil(it.s2 / it.c2 * to.c2), 0
    to.s2 = math.min(to.s2, DEBTS * to.c2 * to.c3)
  else
    to.s1, to.s2, to.s3 = time, 0, 0
    charge(to, (it.kind == 't' and it.c3 or it.c2) - remaining(it))
  end
end

-- Reads the state of a key; null if it is not of this script. It is of the length that it says, and in whole numbers.
local function read(value)
  if #value < LEAST or #value < LEAST + string.byte(value, LEAST) then return nil end
  local it, kind = {}, nil
  kind, it.revision, it.kind, it.c1, it.c2, it.c3, it.s1, it.s2, it.s3, it.terms = struct.unpack(STATE, value)
  if kind ~= 'q2' or (it.kind ~= 't' and it.kind ~= 'w') or (#value - LEAST - #it.terms) % SIZE ~= 0 then return nil end
  if not (isWhole(it.c1, 1) and isWhole(it.c2, 1) and isWhole(it.c3, 1)
      and isWhole(it.s1, 0) and isWhole(it.s2, 0) and isWhole(it.s3, 0)) then
    return nil
  end
  return it
end

local answers, values, lives = { time }, {}, {}
for i = 2, #KEYS do
  local asked, used, taken, needed, demanded, wanted = {}, nil, nil, nil, nil, nil
  asked.revision, asked.kind, asked.c1, asked.c2, asked.c3, used, taken, needed, demanded, wanted, asked.terms =
    struct.unpack(REQUEST, ARGV[i])
  local it, code, sharers, nodes, own, before = asked, 0, 1, '', nil, nil
  local value = redis.pcall('GET', KEYS[i])
  if not value then
    blank(it)
  elseif type(value) == 'string' then
    it = read(value)
  else
    it = nil
  end
  if it and value then
    pass(it)
    -- The nodes: those that are forgotten are at the beginning, those that share at the end.
    local first = LEAST + #it.terms + 1
    while first < #value and struct.unpack('<d', value, first + HEARD) <= time - MEMORY do first = first + SIZE end
    local last = #value - SIZE + 1
    while last >= first and struct.unpack('<d', value, last + HEARD) > time - SHARING do
      sharers, last = sharers + 1, last - SIZE
    end
    own = string.find(value, node, first, true)
    while own and (own - first) % SIZE ~= 0 do own = string.find(value, node, own + 1, true) end
    if own then
      before = string.sub(value, own + 13, own + 28)
      nodes = string.sub(value, first, own - 1) .. string.sub(value, own + SIZE)
      if own > last then sharers = sharers - 1 end
    else
      nodes = string.sub(value, first)
    end
    if it.s2 == 0 and (it.kind == 't' or it.s3 == 0) then
      asked.s1, asked.s2, asked.s3 = time, 0, 0
      it = asked
    elseif asked.revision > it.revision then
      convert(it, asked)
      it = asked
    elseif asked.revision < it.revision then
      code = 1
    elseif asked.terms ~= it.terms then
      code = 2
    end
  end

  local permits, pause, rest, anew, at = 0, 0, 0, 0, time
  if not it then
    code = 3
  elseif before == sequence then
    local _
    _, _, at, permits, pause, rest, anew, sharers = struct.unpack(ENTRY, value, own)
    if code == 2 then code = 0 end
  else
    local counts = code ~= 2 and not (before and before > sequence)
    if counts then
      if used >= 0 then charge(it, used) else comesBack(it, -used, taken) end
      local there = math.max(0, remaining(it))
      if needed > there then
        pause = wait(it, needed)
      else
        permits = math.min(demanded, there)
        if permits == demanded then
          permits = permits + math.min(wanted - demanded, math.floor((there - permits) / sharers))
        end
        charge(it, permits)
      end
    elseif needed > 0 then
      pause = wait(it, needed)
    end
    rest, anew = remaining(it), reset(it)
    if counts then
      if #nodes >= NODES * SIZE then nodes = string.sub(nodes, SIZE + 1) end
      values[i] = struct.pack(STATE, 'q2', it.revision, it.kind, it.c1, it.c2, it.c3, it.s1, it.s2, it.s3, #it.terms,
        it.terms) .. nodes .. struct.pack(ENTRY, node, sequence, time, permits, pause, rest, anew, sharers)
      lives[i] = string.format('%.0f', math.ceil((math.max(anew, MEMORY) * 1.25 + MARGIN) / 1000))
    end
  end
  local n = #answers
  answers[n + 1], answers[n + 2], answers[n + 3], answers[n + 4] = code, permits, pause, rest
  answers[n + 5], answers[n + 6], answers[n + 7] = anew, sharers, at
  if code == 3 then
    answers[n + 8] = value.err or foreign(KEYS[i])
  elseif code > 0 then
    answers[n + 8] = it.revision .. '/' .. it.terms
  end
end

keepMark()
for i = 2, #KEYS do
  if values[i] then redis.call('SET', KEYS[i], values[i], 'PX', lives[i]) end
end
return answers

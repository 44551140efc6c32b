-- Takes permits of limits that processes share. One shard: all keys have the hash tag of the mark.
--
-- KEYS  the mark, then one key for each request
-- ARGV  those of the mark, then for each request: revision, terms, kind, c1, c2, c3, used, taken, needed, demanded,
--       wanted
--       kind t: c1 units a microsecond, c2 units a permit, c3 burst; w: c1 length, c2 permits, c3 grain of time
--
-- key   q1 revision terms kind c1 c2 c3 s1 s2 s3, then for each node: id,sequence,time and what it was answered
--       kind t: s1 time, s2 level, 0 if full; w: s1 start, s2 taken in this window, s3 in the one before
--
-- answer: time, then for each request: permits wait remaining reset sharers time code terms; code 1: the terms apply,
-- 2: they contradict. A wait of -1 is for ever.
local NODES, MEMORY, SHARING, MARGIN, DEBTS = 64, 10000000, 2000000, 5000000, 65

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

local function isNew(it) return it.s2 == 0 and (it.kind == 't' or it.s3 == 0) end

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

local function capacity(it) return it.kind == 't' and it.c3 or it.c2 end

local function charge(it, permits)
  local most, unit = DEBTS * capacity(it), it.kind == 't' and it.c2 or 1
  it.s2 = math.min(most * unit, it.s2 + math.min(most, permits) * unit)
end

-- What comes back is less by what time has given since it was taken, or else a late copy would mint permits.
local function comesBack(it, permits, taken)
  local most = DEBTS * capacity(it)
  if it.kind == 't' then
    local credit = math.min(most, permits) * it.c2 - math.max(0, time - taken) * it.c1
    it.s2 = math.max(0, it.s2 - math.max(0, credit))
  elseif taken >= it.s1 then
    it.s2 = math.max(0, it.s2 - permits)
  end
end

local function reset(it)
  if it.kind == 't' then return math.ceil(it.s2 / it.c1) end
  if isNew(it) then return 0 end
  return it.c1 - (time - it.s1) + math.ceil(it.s2 / it.c2) * it.c1
end

-- The time until permits fit; window by window, all windows of a debt in one step.
local function wait(it, permits)
  if permits > capacity(it) then return -1 end
  if it.kind == 't' then
    return math.max(1, math.ceil((it.s2 + permits * it.c2 - it.c2 * it.c3) / it.c1))
  end
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
    charge(to, capacity(it) - remaining(it))
  end
end

local answers, values, lives = {}, {}, {}
for i = 2, #KEYS do
  local at = 11 * (i - 2) + 6
  local asked = { revision = ARGV[at], terms = ARGV[at + 1], kind = ARGV[at + 2],
    c1 = tonumber(ARGV[at + 3]), c2 = tonumber(ARGV[at + 4]), c3 = tonumber(ARGV[at + 5]) }
  local used, taken, needed = tonumber(ARGV[at + 6]), tonumber(ARGV[at + 7]), tonumber(ARGV[at + 8])
  local demanded, wanted = tonumber(ARGV[at + 9]), tonumber(ARGV[at + 10])
  local it, nodes, own, code, sharers = asked, {}, nil, 0, 1
  local value = redis.call('GET', KEYS[i])
  if value then
    local found = words(value)
    it = { revision = found[2], terms = found[3], kind = found[4] }
    for n = 1, 3 do
      it['c' .. n], it['s' .. n] = tonumber(found[4 + n]), tonumber(found[7 + n])
      if not isWhole(it['c' .. n], 1) or not isWhole(it['s' .. n], 0) then return foreign(KEYS[i]) end
    end
    if found[1] ~= 'q1' or (it.kind ~= 't' and it.kind ~= 'w') then return foreign(KEYS[i]) end
    pass(it)
    for n = 11, #found do
      local id, last, heard = string.match(found[n], '^([^,]+),([^,]+),([^,]+)')
      if not heard then return foreign(KEYS[i]) end
      if id == node then
        own = { sequence = last, entry = found[n] }
      elseif tonumber(heard) > time - MEMORY then
        nodes[#nodes + 1] = found[n]
        if tonumber(heard) > time - SHARING then sharers = sharers + 1 end
      end
    end
    if isNew(it) then
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
  else
    blank(it)
  end

  local answer
  if own and own.sequence == sequence then
    answer = string.gsub(string.match(own.entry, '^[^,]+,[^,]+,[^,]+,(.*)$'), ',', ' ')
  else
    local permits, pause = 0, 0
    local late = own and own.sequence > sequence
    if code ~= 2 and not late then
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
    local parts = { text(permits), text(pause), text(remaining(it)), text(reset(it)), text(sharers), text(time),
      text(code) }
    answer = table.concat(parts, ' ')
    if code ~= 2 and not late then
      if #nodes >= NODES then table.remove(nodes, 1) end
      nodes[#nodes + 1] = node .. ',' .. sequence .. ',' .. text(time) .. ',' .. table.concat(parts, ',')
      values[i] = table.concat({ 'q1', it.revision, it.terms, it.kind, text(it.c1), text(it.c2), text(it.c3),
        text(it.s1), text(it.s2), text(it.s3), table.concat(nodes, ' ') }, ' ')
      lives[i] = math.ceil((math.max(reset(it), MEMORY) * 1.25 + MARGIN) / 1000)
    end
  end
  if code > 0 then answer = answer .. ' ' .. it.revision .. '/' .. it.terms else answer = answer .. ' -' end
  answers[#answers + 1] = answer
end

keepMark()
for i = 2, #KEYS do
  if values[i] then redis.call('SET', KEYS[i], values[i], 'PX', text(lives[i])) end
end
return text(time) .. ';' .. table.concat(answers, ';')

package dev.levee.redis.cache;

import java.nio.charset.StandardCharsets;

/**
 * What runs inside of Redis, each in one step: the protocol that keeps what was invalidated from coming back.
 *
 * <pre>{@code
 * P:v:<key>   the value, a TierEnvelope
 * P:l:<key>   a hash: L, X  the token of the lease and its end    W<token>  a write that is under way, and its end
 *                     S     until when a write settles            F         the lowest version that may be filled
 * P:q         the sequence number of changes; each is published with its number
 * P:f         the number of the last change of all keys: what is labelled lower is dead
 * P:t         a sorted set: t<tag>  the number of the last change of all keys that have the tag
 *                           (empty)  what has tags and is labelled lower is dead: older changes are forgotten
 * P:s         there for as long as replicas may not have what was invalidated by P:f or P:t
 * }</pre>
 *
 * <p>The channel is P:i, with the number of the database behind it if that is not 0.
 *
 * <p>The sequence begins {@link #AHEAD} of the time of the server in microseconds, so it goes on upwards after all was
 * lost, and is never further ahead. Times are those of the server. See ADR 150, ADR 151 and ADR 188.
 */
final class TierScripts {
    /** How far the sequence is ahead of the time in microseconds at most; the scripts have it as a number. */
    static final long AHEAD = 1L << 32;

    static final int HIT = 0;
    static final int LEASE = 1;
    static final int WAIT = 2;
    static final int UNCACHED = 3;
    static final int ODD = 4;

    /** The label of a value begins here, as eight bytes; then its version. */
    static final int LABEL_AT = 7;

    private static final String COMMON = """
            local t = redis.call('TIME')
            local now = t[1] * 1000 + math.floor(t[2] / 1000)
            local function text(n) return string.format('%.0f', n) end
            local function seq(key)
              local s = redis.call('GET', key)
              if not s then
                s = text(t[1] * 1000000 + t[2] + 4294967296)
                redis.call('SET', key, s)
              end
              return tonumber(s)
            end
            local function long(v, at)
              if string.len(v) < at + 7 then return nil end
              local n = 0
              for i = at, at + 7 do n = n * 256 + string.byte(v, i) end
              return n
            end
            local function bytes(n)
              local b = ''
              for i = 1, 8 do
                b = string.char(n % 256) .. b
                n = math.floor(n / 256)
              end
              return b
            end
            local function less(a, b)
              for i = 1, 8 do
                local x, y = string.byte(a, i), string.byte(b, i)
                if x ~= y then return x < y end
              end
              return false
            end
            """;

    /**
     * KEYS q f t s, then v l for each key; ARGV token, life of a lease, lowest floor, whether values have tags, then
     * for each key whether to pass by the value. Returns the sequence, the time, whether replicas are behind, then for
     * each key the kind and the value.
     */
    static final TierScript READ = new TierScript(COMMON + """
            local s = seq(KEYS[1])
            local floor = math.max(tonumber(redis.call('GET', KEYS[2]) or '0'), tonumber(ARGV[3]))
            local base = 0
            if ARGV[4] == '1' then
              base = redis.call('ZSCORE', KEYS[3], '')
              if not base then
                base = text(s)
                redis.call('ZADD', KEYS[3], base, '')
              end
              base = tonumber(base)
            end
            local function alive(v)
              local label = long(v, 8) or s
              if label < floor then return false end
              local flags = string.byte(v, 3) or 0
              if ARGV[4] == '0' or flags % 8 < 4 then return true end
              if label < base then return false end
              if flags % 2 == 1 then
                return label >= tonumber(redis.call('ZREVRANGE', KEYS[3], 0, 0, 'WITHSCORES')[2])
              end
              local at = 42
              for i = 1, (string.byte(v, 40) or 0) * 256 + (string.byte(v, 41) or 0) do
                if at + 1 > string.len(v) then return true end
                local n = string.byte(v, at) * 256 + string.byte(v, at + 1)
                local score = redis.call('ZSCORE', KEYS[3], 't' .. string.sub(v, at + 2, at + 1 + n))
                if score and label < tonumber(score) then return false end
                at = at + 2 + n
              end
              return true
            end
            local function lease(key)
              local h = redis.pcall('HGETALL', key)
              if h.err then return 4 end
              local till, token
              for i = 1, #h, 2 do
                local f = string.sub(h[i], 1, 1)
                if (f == 'W' or f == 'S') and tonumber(h[i + 1]) > now then return 3 end
                if f == 'X' then till = tonumber(h[i + 1]) end
                if f == 'L' then token = h[i + 1] end
              end
              if token and token ~= ARGV[1] and till > now then return 2 end
              redis.call('HSET', key, 'L', ARGV[1], 'X', text(now + ARGV[2]))
              if redis.call('PTTL', key) < tonumber(ARGV[2]) then redis.call('PEXPIRE', key, ARGV[2]) end
              return 1
            end
            local out = {text(s), text(now), redis.call('EXISTS', KEYS[4])}
            for i = 5, #KEYS, 2 do
              local v = redis.pcall('GET', KEYS[i])
              if type(v) == 'table' then
                out[#out + 1] = 4
                v = ''
              elseif v and ARGV[(i + 5) / 2] == '0' and alive(v) then
                out[#out + 1] = 0
              else
                out[#out + 1] = lease(KEYS[i + 1])
                v = ''
              end
              out[#out + 1] = v
            end
            return out
            """);

    /** KEYS v l for each key; ARGV token, then for each key a value, and its life (0 to give the lease back alone). */
    static final TierScript FILL = new TierScript(COMMON + """
            local function fill(key, lease, v, life)
              if redis.pcall('HGET', lease, 'L') ~= ARGV[1] then return 0 end
              local low = redis.call('HGET', lease, 'F')
              redis.call('HDEL', lease, 'L', 'X')
              if life == '0' then return 1 end
              if low and less(string.sub(v, 16, 23), low) then return 0 end
              redis.call('SET', key, v, 'PX', life)
              redis.call('EXISTS', key) -- a read, so that client tracking goes on
              return 1
            end
            local out = {}
            for i = 1, #KEYS, 2 do
              out[#out + 1] = fill(KEYS[i], KEYS[i + 1], ARGV[i + 1], ARGV[i + 2])
            end
            return out
            """);

    /**
     * KEYS v l q; ARGV channel, origin, key, what (begin, end, drop, put), token, life of the mark or the tombstone,
     * lowest version or empty, value, its life.
     */
    static final TierScript CHANGE = new TierScript(COMMON + """
            local what = ARGV[4]
            local gone = redis.pcall('HDEL', KEYS[2], 'L', 'X')
            if type(gone) == 'table' and gone.err then redis.call('DEL', KEYS[2]) end
            local low = redis.call('HGET', KEYS[2], 'F')
            if what == 'put' and ARGV[7] ~= '' then
              local old = redis.pcall('GET', KEYS[1])
              if type(old) == 'string' and string.len(old) >= 23 then
                local has = string.sub(old, 16, 23)
                if not low or less(low, has) then low = has end
              end
              if low and less(ARGV[7], low) then return {'0'} end
            end
            redis.call('DEL', KEYS[1])
            if what == 'begin' then
              redis.call('HSET', KEYS[2], 'W' .. ARGV[5], text(now + ARGV[6]))
            elseif what == 'end' then
              redis.call('HDEL', KEYS[2], 'W' .. ARGV[5])
            end
            if what ~= 'begin' and ARGV[6] ~= '0' then
              if what ~= 'put' then redis.call('HSET', KEYS[2], 'S', text(now + ARGV[6])) end
            end
            if what ~= 'begin' and ARGV[7] ~= '' and not (low and less(ARGV[7], low)) then
              redis.call('HSET', KEYS[2], 'F', ARGV[7])
            end
            if redis.call('EXISTS', KEYS[2]) == 1 then
              local life = math.max(tonumber(ARGV[6]), 60000)
              if redis.call('PTTL', KEYS[2]) < life then redis.call('PEXPIRE', KEYS[2], text(life)) end
            end
            seq(KEYS[3])
            local s = redis.call('INCR', KEYS[3])
            if what == 'put' then
              local v = string.sub(ARGV[8], 1, 7) .. bytes(s) .. string.sub(ARGV[8], 16, 23) .. bytes(now)
                .. string.sub(ARGV[8], 32)
              redis.call('SET', KEYS[1], v, 'PX', ARGV[9])
            end
            redis.call('PUBLISH', ARGV[1], text(s) .. ':' .. ARGV[2] .. ':k:' .. ARGV[3])
            return {text(s)}
            """);

    private static final String SETTLE = """
            local function settle(key, life)
              if life ~= '0' and redis.call('PTTL', key) < tonumber(life) then
                redis.call('SET', key, '', 'PX', life)
              end
            end
            """;

    /** KEYS q f s; ARGV channel, origin, how long replicas may be behind. */
    static final TierScript CLEAR = new TierScript(COMMON + SETTLE + """
            seq(KEYS[1])
            local s = redis.call('INCR', KEYS[1])
            redis.call('SET', KEYS[2], text(s))
            settle(KEYS[3], ARGV[3])
            redis.call('PUBLISH', ARGV[1], text(s) .. ':' .. ARGV[2] .. ':a:')
            return {text(s)}
            """);

    /**
     * KEYS q s t; ARGV channel, origin, how long replicas may be behind, tag, how many tags are remembered. When there
     * are more, what has tags and is older than those that are forgotten is dead.
     */
    static final TierScript TAG = new TierScript(COMMON + SETTLE + """
            seq(KEYS[1])
            local s = redis.call('INCR', KEYS[1])
            redis.call('ZADD', KEYS[3], text(s), 't' .. ARGV[4])
            if not redis.call('ZSCORE', KEYS[3], '') then redis.call('ZADD', KEYS[3], text(s), '') end
            local most = tonumber(ARGV[5])
            if redis.call('ZCARD', KEYS[3]) > most + 1 then
              local last = math.floor(most / 10)
              local base = redis.call('ZRANGE', KEYS[3], last, last, 'WITHSCORES')[2]
              redis.call('ZREMRANGEBYRANK', KEYS[3], 0, last)
              redis.call('ZADD', KEYS[3], base, '')
            end
            settle(KEYS[2], ARGV[3])
            redis.call('PUBLISH', ARGV[1], text(s) .. ':' .. ARGV[2] .. ':t:' .. ARGV[4])
            return {text(s)}
            """);

    /** KEYS q f; ARGV lowest floor. */
    static final TierScript SYNC = new TierScript(COMMON + """
            local s = seq(KEYS[1])
            local floor = tonumber(redis.call('GET', KEYS[2]) or '0')
            if floor < tonumber(ARGV[1]) then
              floor = tonumber(ARGV[1])
              redis.call('SET', KEYS[2], ARGV[1])
            end
            return {text(s), text(floor), text(now)}
            """);

    /**
     * KEYS q f s; ARGV channel, origin, a position to reach, how long replicas may be behind. Invalidates all keys,
     * unless it was reached before.
     */
    static final TierScript REACH = new TierScript(COMMON + SETTLE + """
            local s = seq(KEYS[1])
            local goal = tonumber(ARGV[3])
            if s >= goal then return {text(s)} end
            s = t[1] * 1000000 + t[2] + 4294967296
            if s < goal then return {'0'} end
            redis.call('SET', KEYS[1], text(s))
            redis.call('SET', KEYS[2], text(s))
            settle(KEYS[3], ARGV[4])
            redis.call('PUBLISH', ARGV[1], text(s) .. ':' .. ARGV[2] .. ':a:')
            return {text(s)}
            """);

    private TierScripts() {}

    static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    static byte[] ascii(long number) {
        return ascii(Long.toString(number));
    }
}

package dev.levee.redis.cache;

import static dev.levee.redis.cache.TierScripts.ascii;

import dev.levee.core.Environment;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.SafeLog;
import io.lettuce.core.KeyScanCursor;
import io.lettuce.core.RedisClient;
import io.lettuce.core.ScanArgs;
import io.lettuce.core.ScanCursor;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One server of a tier: its commands, its {@link TierChannel} of invalidations, and those that it has not got yet.
 *
 * <p>All commands go by the connection of the channel while it is trusted, since client tracking tells a connection of
 * changes of what was read by it; otherwise by one of their own.
 */
final class TierNode implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TwoTierCache.class);

    private static final int SCANNED_AT_ONCE = 1_000;

    private final String cache;
    private final RedisTier<?, ?> tier;
    private final TierLink link;
    private final TierChannel channel;
    private final TierNames names;
    private final byte[] origin;
    private final TierTotals totals;

    /** Keys whose invalidation Redis has not got; guarded by itself. */
    private final Set<ByteBuffer> pending = new LinkedHashSet<>();

    /** Whether there were more than may be pending; guarded by {@link #pending}. */
    private boolean allPending;

    /** The last position that sessions were given and Redis has to reach; 0 if none. Guarded by {@link #pending}. */
    private long promised;

    /** The name under which sessions know the changes of this server. */
    final String source;

    TierNode(
            String cache,
            String server,
            RedisClient client,
            RedisTier<?, ?> tier,
            Environment environment,
            TierTotals totals,
            TierChannel.Near near) {
        this.cache = cache;
        this.tier = tier;
        this.totals = totals;
        this.source = server.equals(RedisTier.ONLY) ? cache : cache + '/' + server;
        this.names = new TierNames(tier.prefix + ":{" + cache + "}:" + tier.version + ':');
        this.origin = ascii(HexFormat.of().toHexDigits(environment.random().nextLong()));
        this.link = new TierLink(cache, server, client, tier, environment);
        this.channel = new TierChannel(
                cache, link, names, tier, environment, near, this::repeatPending, this::rememberAll);
    }

    /** What the script that reads has answered. */
    static final class TierAnswer {
        final int kind;
        final long seq;

        /** The bytes of the value, if there is one. */
        final byte @Nullable [] value;

        /** The time of the server. */
        final long serverMillis;

        TierAnswer(int kind, long seq, long serverMillis, byte @Nullable [] value) {
            this.kind = kind;
            this.seq = seq;
            this.serverMillis = serverMillis;
            this.value = value;
        }

        long ageNanos(long readAtMillis) {
            long millis = serverMillis - readAtMillis;
            return millis < 0 ? -1 : Nanos.multiply(1_000_000L, (double) millis);
        }
    }

    void start() {
        channel.start();
    }

    boolean isTrusted() {
        return channel.isTrusted();
    }

    /** Whether all changes up to a position are known here, so that what is near is at least as new. */
    boolean hasApplied(long position) {
        return channel.isTrusted() && channel.applied() >= position;
    }

    /** Returns the age of what was read at a time of the server, at most; negative if it is not known. */
    long ageNanos(long readAtMillis) {
        return channel.ageNanos(readAtMillis);
    }

    /** Returns the value of a key by a plain GET, or null; only of use while the channel is trusted. */
    byte @Nullable [] get(byte[] key) throws TierGoneException, InterruptedException {
        return link.call(link.connection(channel.isTrusted()), commands -> commands.get(names.value(key)));
    }

    /** Asks for the number of changes so far. */
    long position() throws TierGoneException, InterruptedException {
        byte[][] keys = {names.sequence, names.floor};
        return number(
                one(link.run(link.connection(channel.isTrusted()), TierScripts.SYNC, keys, ascii(channel.floor()))));
    }

    /** Whether a value with this label is not among those that were invalidated all together. */
    boolean isAlive(long label) {
        return label >= channel.floor();
    }

    /**
     * Reads the value of a key, or takes the lease to load it.
     *
     * @param passBy whether the value that is there is of no use
     */
    TierAnswer read(byte[] key, byte[] token, boolean passBy) throws TierGoneException, InterruptedException {
        List<Object> answer = link.run(
                link.connection(channel.isTrusted()),
                TierScripts.READ,
                names.all(key),
                token,
                ascii(tier.leaseLife.toMillis()),
                ascii(channel.floor()),
                ascii(passBy ? 1 : 0));
        int kind = (int) number(answer.get(0));
        return new TierAnswer(
                kind,
                number(answer.get(1)),
                number(answer.get(2)),
                kind == TierScripts.HIT ? (byte[]) answer.get(3) : null);
    }

    /** Puts what was loaded under a lease; false if the lease is not valid any more. */
    boolean fill(byte[] key, byte[] token, byte[] value, long lifeMillis)
            throws TierGoneException, InterruptedException {
        return number(one(link.run(
                        link.connection(channel.isTrusted()),
                        TierScripts.FILL,
                        names.all(key),
                        token,
                        value,
                        ascii(lifeMillis))))
                == 1;
    }

    /** Gives a lease back; does not wait. */
    void release(byte[] key, byte[] token) {
        link.send(TierScripts.FILL, names.all(key), token, new byte[0], ascii(0));
    }

    /** Marks a key as being written: nothing is cached for it until {@link #end}, or the life of the mark is over. */
    long begin(byte[] key, byte[] token) throws TierGoneException, InterruptedException {
        return change(key, "begin", token, tier.leaseLife, new byte[0], new byte[0], 0);
    }

    /** Ends the write; if Redis does not get that, it is repeated. Returns the position, or 0. */
    long end(byte[] key, byte[] token, byte[] version) throws InterruptedException {
        return surely(key, "end", token, version);
    }

    /** Drops a key; if Redis does not get that, it is repeated. Returns the position, or 0. */
    long drop(byte[] key) throws InterruptedException {
        return surely(key, "drop", new byte[0], new byte[0]);
    }

    private long surely(byte[] key, String what, byte[] token, byte[] version) throws InterruptedException {
        boolean told = false;
        try {
            long position = change(key, what, token, tier.replicaLag, version, new byte[0], 0);
            told = true;
            return position;
        } catch (TierGoneException gone) {
            return 0;
        } finally {
            if (!told) {
                remember(key);
            }
        }
    }

    /** Puts a value; returns the position, or 0 if there is a newer one. */
    long put(byte[] key, byte[] version, byte[] value, long lifeMillis) throws TierGoneException, InterruptedException {
        return change(key, "put", new byte[0], tier.replicaLag, version, value, lifeMillis);
    }

    private long change(
            byte[] key, String what, byte[] token, Duration mark, byte[] version, byte[] value, long lifeMillis)
            throws TierGoneException, InterruptedException {
        return number(one(link.run(
                link.connection(channel.isTrusted()),
                TierScripts.CHANGE,
                names.all(key),
                names.channel,
                origin,
                key,
                ascii(what),
                token,
                ascii(mark.toMillis()),
                version,
                value,
                ascii(lifeMillis))));
    }

    /** Invalidates all keys; if Redis does not get that, it is repeated. Returns the position, or 0. */
    long clear() throws InterruptedException {
        boolean told = false;
        try {
            long position = clearNow();
            told = true;
            return position;
        } catch (TierGoneException gone) {
            return 0;
        } finally {
            if (!told) {
                rememberAll();
            }
        }
    }

    private long clearNow() throws TierGoneException, InterruptedException {
        byte[][] keys = {names.sequence, names.floor};
        long position = number(
                one(link.run(link.connection(channel.isTrusted()), TierScripts.CLEAR, keys, names.channel, origin)));
        channel.raiseFloor(position);
        return position;
    }

    /** Deletes the values of keys here; goes through all of them, some at a time. */
    void delete(Predicate<byte[]> which) throws TierGoneException, InterruptedException {
        ScanArgs some = ScanArgs.Builder.limit(SCANNED_AT_ONCE).match(names.pattern());
        ScanCursor at = ScanCursor.INITIAL;
        do {
            ScanCursor from = at;
            KeyScanCursor<byte[]> found =
                    link.call(link.connection(channel.isTrusted()), commands -> commands.scan(from, some));
            byte[][] gone = found.getKeys().stream()
                    .filter(name -> which.test(names.keyOf(name)))
                    .toArray(byte[][]::new);
            if (gone.length > 0) {
                link.call(link.connection(channel.isTrusted()), commands -> commands.unlink(gone));
            }
            at = found;
        } while (!at.isFinished());
    }

    private void remember(byte[] key) {
        synchronized (pending) {
            if (allPending || pending.size() >= tier.maxPending) {
                rememberAll();
            } else {
                pending.add(ByteBuffer.wrap(key));
            }
        }
    }

    private void rememberAll() {
        synchronized (pending) {
            allPending = true;
            pending.clear();
        }
    }

    /**
     * Returns a position for a session that has written or seen what Redis has not heard of: one that the sequence has
     * not reached at this time, whatever other processes do. It is reached by invalidating all keys.
     */
    long promise() {
        synchronized (pending) {
            promised = Math.max(promised, channel.serverMicros() + TierScripts.AHEAD);
            return promised;
        }
    }

    int pending() {
        synchronized (pending) {
            return allPending ? Math.max(1, tier.maxPending) : pending.size();
        }
    }

    /** Repeats what Redis has not got; ends at the first that it does not get this time. */
    private void repeatPending() {
        try {
            while (repeatOne()) {
                totals.repeated.increment();
            }
            keepPromise();
        } catch (TierGoneException gone) {
            SafeLog.debug(LOG, "cache \"{}\": invalidations wait for Redis", cache, gone);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Lets the sequence reach what was promised to sessions. All keys are invalidated with that, because the sequence
     * passes what other processes have promised too, which may have invalidations that Redis has not got.
     */
    private void keepPromise() throws TierGoneException, InterruptedException {
        long goal;
        synchronized (pending) {
            goal = promised;
        }
        if (goal == 0) {
            return;
        }
        byte[][] keys = {names.sequence, names.floor};
        long reached = number(one(link.run(
                link.connection(channel.isTrusted()), TierScripts.REACH, keys, names.channel, origin, ascii(goal))));
        synchronized (pending) {
            if (reached >= promised) {
                promised = 0;
            }
        }
    }

    private boolean repeatOne() throws TierGoneException, InterruptedException {
        ByteBuffer next;
        boolean all;
        synchronized (pending) {
            all = allPending;
            if (!all && pending.isEmpty()) {
                return false;
            }
            next = all ? ByteBuffer.allocate(0) : pending.iterator().next();
        }
        if (all) {
            clearNow();
        } else {
            change(next.array(), "drop", new byte[0], tier.replicaLag, new byte[0], new byte[0], 0);
        }
        synchronized (pending) {
            // What was added meanwhile is repeated in turn: one invalidation too many costs a load.
            if (all) {
                allPending = false;
            } else {
                pending.remove(next);
            }
        }
        return true;
    }

    @Override
    public void close() {
        channel.close();
        link.close();
    }

    private static Object one(List<Object> answer) {
        return answer.get(0);
    }

    static long number(Object value) {
        return value instanceof byte[] text
                ? Long.parseLong(new String(text, StandardCharsets.US_ASCII))
                : ((Number) value).longValue();
    }

    /** The names of keys in Redis. */
    static final class TierNames {
        private final byte[] leases;
        final byte[] prefix;
        final byte[] sequence;
        final byte[] floor;
        final byte[] channel;

        TierNames(String prefix) {
            this.prefix = (prefix + "v:").getBytes(StandardCharsets.UTF_8);
            leases = (prefix + "l:").getBytes(StandardCharsets.UTF_8);
            sequence = (prefix + 'q').getBytes(StandardCharsets.UTF_8);
            floor = (prefix + 'f').getBytes(StandardCharsets.UTF_8);
            channel = (prefix + 'i').getBytes(StandardCharsets.UTF_8);
        }

        byte[] value(byte[] key) {
            return joined(prefix, key);
        }

        boolean isValue(byte[] name) {
            return name.length >= prefix.length && Arrays.equals(name, 0, prefix.length, prefix, 0, prefix.length);
        }

        byte[] keyOf(byte[] name) {
            return Arrays.copyOfRange(name, prefix.length, name.length);
        }

        /** Returns the pattern of all names of values. */
        byte[] pattern() {
            ByteArrayOutputStream pattern = new ByteArrayOutputStream();
            for (byte each : prefix) {
                if ("\\*?[]^-".indexOf(each) >= 0) {
                    pattern.write('\\');
                }
                pattern.write(each);
            }
            pattern.write('*');
            return pattern.toByteArray();
        }

        byte[] lease(byte[] key) {
            return joined(leases, key);
        }

        byte[][] all(byte[] key) {
            return new byte[][] {value(key), lease(key), sequence, floor};
        }

        private static byte[] joined(byte[] prefix, byte[] key) {
            ByteArrayOutputStream both = new ByteArrayOutputStream(prefix.length + key.length);
            both.writeBytes(prefix);
            both.writeBytes(key);
            return both.toByteArray();
        }
    }
}

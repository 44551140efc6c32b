package dev.levee.redis.cache;

import static dev.levee.redis.cache.TierScripts.ascii;

import dev.levee.core.Environment;
import dev.levee.core.internal.SafeLog;
import dev.levee.redis.cache.PendingChanges.ChangedKey;
import dev.levee.redis.cache.PendingChanges.PendingChange;
import io.lettuce.core.KeyScanCursor;
import io.lettuce.core.KeyValue;
import io.lettuce.core.RedisClient;
import io.lettuce.core.ScanArgs;
import io.lettuce.core.ScanCursor;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
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

    /** How many tags Redis knows the last invalidation of; those of older ones count for all values that have tags. */
    private static final int MAX_TAGS = 10_000;

    private final String cache;
    private final RedisTier<?, ?> tier;
    private final TierLink link;
    private final TierChannel channel;
    private final TierNames names;
    private final byte[] origin;
    private final TierTotals totals;

    /** Invalidations that Redis has not got. */
    private final PendingChanges pending;

    /** The last position that sessions were given and Redis has to reach; 0 if none. Guarded by {@link #pending}. */
    private long promised;

    /** Whether values may have tags. */
    private final boolean tagged;

    /** The name under which sessions know the changes of this server. */
    final String source;

    TierNode(
            String cache,
            String server,
            RedisClient client,
            RedisTier<?, ?> tier,
            boolean tagged,
            Environment environment,
            TierTotals totals,
            TierChannel.Near near) {
        this.cache = cache;
        this.tier = tier;
        this.tagged = tagged;
        this.totals = totals;
        this.source = server.equals(RedisTier.ONLY) ? cache : cache + '/' + server;
        this.names = new TierNames(tier.prefix + ":{" + cache + "}:" + tier.version + ':');
        this.origin = ascii(HexFormat.of().toHexDigits(environment.random().nextLong()));
        this.link = new TierLink(cache, server, client, tier, environment);
        this.pending = new PendingChanges(tier.maxPending);
        this.channel =
                new TierChannel(cache, link, names, tier, environment, near, this::repeatPending, pending::addAll);
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

    /** Returns the values of keys by a plain MGET, each or null; only of use while the channel is trusted. */
    List<KeyValue<byte[], byte[]>> getAll(List<byte[]> keys) throws TierGoneException, InterruptedException {
        byte[][] values = keys.stream().map(names::value).toArray(byte[][]::new);
        return link.call(link.connection(channel.isTrusted()), commands -> commands.mget(values));
    }

    /**
     * Reads the values of keys, or takes the leases to load them.
     *
     * @param passBy for each key, whether the value that is there is of no use
     */
    List<TierAnswer> read(List<byte[]> keys, byte[] token, boolean[] passBy)
            throws TierGoneException, InterruptedException {
        byte[][] named = names.all(new byte[][] {names.sequence, names.floor, names.tags, names.settling}, keys);
        byte[][] arguments = new byte[4 + keys.size()][];
        arguments[0] = token;
        arguments[1] = ascii(tier.leaseLife.toMillis());
        arguments[2] = ascii(channel.floor());
        arguments[3] = ascii(tagged ? 1 : 0);
        for (int i = 0; i < passBy.length; i++) {
            arguments[4 + i] = ascii(passBy[i] ? 1 : 0);
        }
        List<Object> answer = link.run(link.connection(channel.isTrusted()), TierScripts.READ, named, arguments);
        List<TierAnswer> answers = new ArrayList<>();
        for (int i = 3; i < answer.size(); i += 2) {
            int kind = (int) number(answer.get(i));
            answers.add(new TierAnswer(
                    kind,
                    number(answer.get(0)),
                    number(answer.get(1)),
                    number(answer.get(2)) == 1,
                    kind == TierScripts.HIT ? (byte[]) answer.get(i + 1) : null));
        }
        return answers;
    }

    /** What is put into Redis for a key under a lease. */
    static final class TierFill {
        private final byte[] key;
        private final byte[] value;
        private final long lifeMillis;

        TierFill(byte[] key, byte[] value, long lifeMillis) {
            this.key = key;
            this.value = value;
            this.lifeMillis = lifeMillis;
        }

        int size() {
            return key.length + value.length;
        }
    }

    /** Puts what was loaded under leases; false for those that are not valid any more. */
    List<Boolean> fill(byte[] token, List<TierFill> fills) throws TierGoneException, InterruptedException {
        byte[][] arguments = new byte[1 + 2 * fills.size()][];
        arguments[0] = token;
        for (int i = 0; i < fills.size(); i++) {
            arguments[1 + 2 * i] = fills.get(i).value;
            arguments[2 + 2 * i] = ascii(fills.get(i).lifeMillis);
        }
        byte[][] named =
                names.all(new byte[0][], fills.stream().map(fill -> fill.key).toList());
        return link.run(link.connection(channel.isTrusted()), TierScripts.FILL, named, arguments).stream()
                .map(done -> number(done) == 1)
                .toList();
    }

    /** Gives a lease back; does not wait. */
    void release(byte[] key, byte[] token) {
        link.send(TierScripts.FILL, names.all(new byte[0][], List.of(key)), token, new byte[0], ascii(0));
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
        return surely(
                () -> change(key, what, token, tier.replicaLag, version, new byte[0], 0),
                () -> pending.add(new ChangedKey(ByteBuffer.wrap(key), false)));
    }

    /** Tells Redis of a change, or remembers it if Redis does not get it. Returns the position, or 0. */
    private static long surely(Told change, Runnable otherwise) throws InterruptedException {
        boolean told = false;
        try {
            long position = change.tell();
            told = true;
            return position;
        } catch (TierGoneException gone) {
            return 0;
        } finally {
            if (!told) {
                otherwise.run();
            }
        }
    }

    /** Tells Redis of a change; returns the position. */
    @FunctionalInterface
    private interface Told {
        long tell() throws TierGoneException, InterruptedException;
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
                names.changed(key),
                channel.name(),
                origin,
                key,
                ascii(what),
                token,
                ascii(mark.toMillis()),
                version,
                value,
                ascii(lifeMillis))));
    }

    /** Invalidates all keys that have a tag; if Redis does not get that, it is repeated. Returns the position, or 0. */
    long dropTag(byte[] tag) throws InterruptedException {
        return surely(() -> dropTagNow(tag), () -> pending.add(new ChangedKey(ByteBuffer.wrap(tag), true)));
    }

    private long dropTagNow(byte[] tag) throws TierGoneException, InterruptedException {
        byte[][] keys = {names.sequence, names.settling, names.tags};
        return number(one(link.run(
                link.connection(channel.isTrusted()),
                TierScripts.TAG,
                keys,
                channel.name(),
                origin,
                lag(),
                tag,
                ascii(MAX_TAGS))));
    }

    private byte[] lag() {
        return ascii(tier.replicaLag.toMillis());
    }

    /** Invalidates all keys; if Redis does not get that, it is repeated. Returns the position, or 0. */
    long clear() throws InterruptedException {
        return surely(this::clearNow, pending::addAll);
    }

    private long clearNow() throws TierGoneException, InterruptedException {
        byte[][] keys = {names.sequence, names.floor, names.settling};
        long position = number(one(link.run(
                link.connection(channel.isTrusted()), TierScripts.CLEAR, keys, channel.name(), origin, lag())));
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
        return pending.size();
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
        byte[][] keys = {names.sequence, names.floor, names.settling};
        long reached = number(one(link.run(
                link.connection(channel.isTrusted()),
                TierScripts.REACH,
                keys,
                channel.name(),
                origin,
                ascii(goal),
                lag())));
        synchronized (pending) {
            if (reached >= promised) {
                promised = 0;
            }
        }
    }

    private boolean repeatOne() throws TierGoneException, InterruptedException {
        PendingChange next = pending.first();
        if (next == null) {
            return false;
        }
        ChangedKey of = next.of();
        if (of == null) {
            clearNow();
        } else if (of.isTag()) {
            dropTagNow(of.bytes());
        } else {
            change(of.bytes(), "drop", new byte[0], tier.replicaLag, new byte[0], new byte[0], 0);
        }
        pending.told(next);
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
}

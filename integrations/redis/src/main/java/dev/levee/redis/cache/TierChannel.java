package dev.levee.redis.cache;

import static dev.levee.redis.cache.TierScripts.ascii;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.SafeLog;
import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.RedisConnectionStateListener;
import io.lettuce.core.TrackingArgs;
import io.lettuce.core.api.push.PushMessage;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import io.lettuce.core.pubsub.api.async.RedisPubSubAsyncCommands;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a process hears of changes in one server: numbered messages, what client tracking says, and on the same
 * connection, once each heartbeat, how many messages there should have been.
 *
 * <p><b>Invariants.</b> Everything that comes in is done in the order in which it came, by one task at a time on the
 * executor of the environment. The answer to a heartbeat comes after all messages up to its number, since both are on
 * one connection. So {@code applied() >= n} means: each change up to n has dropped what is near. The channel is trusted
 * only from an answer after which everything near was dropped, until the connection is lost or a heartbeat has no
 * answer. A gap in the numbers drops everything. See ADR 150.
 */
final class TierChannel implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TwoTierCache.class);

    /** How many messages may wait; more are lost, and everything is dropped instead. */
    private static final int MAX_WAITING = 100_000;

    private static final long NANOS_PER_MILLI = 1_000_000L;

    /** So much later than its time is known a server may have read a value: clocks do not run alike. */
    private static final long CLOCK_SLACK_MILLIS = 100;

    private final String cache;
    private final TierLink link;
    private final TierNames names;
    private final RedisTier<?, ?> tier;
    private final Environment environment;
    private final Near near;
    private final Runnable onBeat;

    /** Runs when the server has lost changes that it had: it may have values again that were invalidated. */
    private final Runnable onLoss;

    private final Queue<Runnable> incoming = new ConcurrentLinkedQueue<>();
    private final AtomicInteger waiting = new AtomicInteger();
    private final Object state = new Object();

    /** Grows when trust is lost; guarded by {@link #state}. */
    private long term;

    /** How often trust was given; guarded by {@link #state}. */
    private long trusts;

    /** Whether a heartbeat has no answer yet; guarded by {@link #state}. */
    private boolean unanswered;

    private volatile boolean trusted;
    private volatile long applied;
    private volatile long floor;
    private volatile @Nullable ServerTime time;
    private volatile Scheduler.@Nullable Timer timer;
    private volatile boolean closed;
    private @Nullable StatefulRedisPubSubConnection<byte[], byte[]> connection;

    /** What is told of changes; called on the executor, one call at a time. */
    interface Near {
        /** A key has changed, of which these are the bytes. */
        void drop(byte[] key);

        /** A key is not in Redis any more, or was changed there by another program. */
        void dropGone(byte[] key);

        /** All keys that have a tag may have changed. */
        void dropTag(String tag);

        /** All keys may have changed. */
        void dropAll();

        /** A message was counted. */
        void heard();
    }

    /** The time of the server, and a reading of the clock before it was asked. */
    private record ServerTime(long serverMillis, long askedAtNanos) {}

    TierChannel(
            String cache,
            TierLink link,
            TierNames names,
            RedisTier<?, ?> tier,
            Environment environment,
            Near near,
            Runnable onBeat,
            Runnable onLoss) {
        this.cache = cache;
        this.link = link;
        this.names = names;
        this.tier = tier;
        this.environment = environment;
        this.near = near;
        this.onBeat = onBeat;
        this.onLoss = onLoss;
    }

    void start() {
        beat();
    }

    boolean isTrusted() {
        return trusted;
    }

    /** Returns its name in Redis; of use once the link has connected. */
    byte[] name() {
        return names.channel(link.database());
    }

    long applied() {
        return applied;
    }

    long floor() {
        return floor;
    }

    void raiseFloor(long position) {
        synchronized (state) {
            floor = Math.max(floor, position);
        }
    }

    long ageNanos(long readAtMillis) {
        ServerTime known = time;
        if (!trusted || known == null) {
            return -1;
        }
        long sinceAsked = environment.clock().nanoTime() - known.askedAtNanos;
        long millis = known.serverMillis - readAtMillis;
        if (millis < 0) {
            long ahead = sinceAsked / NANOS_PER_MILLI + CLOCK_SLACK_MILLIS;
            return millis < -ahead ? -1 : sinceAsked; // the clock of the server was set back since
        }
        return Nanos.add(sinceAsked, Nanos.multiply(NANOS_PER_MILLI, (double) millis));
    }

    /**
     * Returns the time of the server in microseconds: not lower than it is; that of this machine if it is not known.
     */
    long serverMicros() {
        ServerTime known = time;
        if (known == null) {
            return environment.wallClock().millis() * 1_000;
        }
        long sinceAsked = environment.clock().nanoTime() - known.askedAtNanos;
        return (known.serverMillis + 1) * 1_000 + sinceAsked / 1_000;
    }

    /** Connects, asks how many messages there should have been, and plans the next turn. Runs on the executor. */
    private void beat() {
        if (closed) {
            return;
        }
        try {
            StatefulRedisPubSubConnection<byte[], byte[]> now = link.connect();
            if (now != null) {
                if (connection == null) {
                    connection = now;
                    listen(now);
                    askForTrust();
                } else {
                    ask();
                }
            }
            onBeat.run();
        } catch (Throwable failed) { // an Error too: there may be no memory, or no thread for a connection
            SafeLog.debug(LOG, "cache \"{}\": a heartbeat failed", cache, failed);
        } finally {
            if (!closed) {
                timer = environment.schedule(() -> environment.handOver(this::beat), Nanos.of(tier.heartbeat));
            }
        }
    }

    private void listen(StatefulRedisPubSubConnection<byte[], byte[]> to) {
        to.addListener(new RedisPubSubAdapter<byte[], byte[]>() {
            @Override
            public void message(byte[] channel, byte[] message) {
                if (Arrays.equals(channel, name())) {
                    add(() -> hear(message));
                }
            }
        });
        to.addListener((PushMessage message) -> {
            if (message.getType().equals("invalidate")) {
                List<Object> content = message.getContent(TierChannel::copied);
                add(() -> hearOfOthers(content));
            }
        });
        to.addListener(new RedisConnectionStateListener() {
            @Override
            public void onRedisConnected(RedisChannelHandler<?, ?> handler, SocketAddress address) {
                environment.handOver(TierChannel.this::askForTrust);
            }

            @Override
            public void onRedisDisconnected(RedisChannelHandler<?, ?> handler) {
                suspect();
            }
        });
    }

    private static Object copied(ByteBuffer bytes) {
        byte[] copy = new byte[bytes.remaining()];
        bytes.duplicate().get(copy);
        return copy;
    }

    /**
     * Takes trust away; what is near is dropped when it may not be served any longer, however often the connection is
     * lost again until then. What comes near meanwhile has that time of its own. Does not block.
     */
    private void suspect() {
        boolean was;
        long given;
        synchronized (state) {
            was = trusted;
            given = trusts;
            term++;
            trusted = false;
            unanswered = false;
        }
        if (was) {
            Runnable drop = () -> dropIfSuspect(given); // past the messages that wait, of which there may be too many
            environment.schedule(() -> environment.handOver(drop), Nanos.of(tier.maxSuspect));
        }
    }

    private void dropIfSuspect(long given) {
        boolean still;
        synchronized (state) {
            still = trusts == given;
        }
        if (still) {
            near.dropAll();
        }
    }

    /** Subscribes, tracks, and asks for the number from which everything is heard. */
    private void askForTrust() {
        StatefulRedisPubSubConnection<byte[], byte[]> to = connection;
        if (to == null || closed) {
            return;
        }
        long now;
        synchronized (state) {
            now = term;
        }
        RedisPubSubAsyncCommands<byte[], byte[]> commands = to.async();
        if (tier.tracking) {
            commands.clientTracking(TrackingArgs.Builder.enabled(false));
            TrackingArgs tracking = TrackingArgs.Builder.enabled().noloop();
            commands.clientTracking(tracking).whenComplete((ok, failure) -> {
                if (failure != null) {
                    SafeLog.warn(LOG, "cache \"{}\": changes by other programs are not tracked", cache, failure);
                }
            });
        }
        CompletableFuture<Void> subscribed = commands.subscribe(name()).toCompletableFuture();
        long askedAt = environment.clock().nanoTime();
        sync(to).thenCombine(subscribed, (answer, nothing) -> answer).whenComplete((answer, failure) -> {
            if (failure == null) {
                add(() -> trust(now, Sync.of(answer), askedAt));
            }
        });
    }

    private CompletableFuture<List<Object>> sync(StatefulRedisPubSubConnection<byte[], byte[]> to) {
        byte[][] keys = {names.sequence, names.floor};
        return link.begin(to, TierScripts.SYNC, keys, ascii(floor));
    }

    /** The answer to a heartbeat. */
    private record Sync(long sequence, long floor, long serverMillis) {
        static Sync of(List<Object> answer) {
            return new Sync(
                    TierNode.number(answer.get(0)), TierNode.number(answer.get(1)), TierNode.number(answer.get(2)));
        }
    }

    private void trust(long since, Sync sync, long askedAt) {
        synchronized (state) {
            if (term != since) {
                return;
            }
        }
        near.dropAll();
        if (sync.sequence < applied) {
            onLoss.run();
        }
        applied = sync.sequence;
        learn(sync, askedAt);
        synchronized (state) {
            if (term == since && !closed) {
                trusts++;
                trusted = true;
                unanswered = false;
            }
        }
    }

    private void learn(Sync sync, long askedAt) {
        raiseFloor(sync.floor);
        time = new ServerTime(sync.serverMillis, askedAt);
    }

    private void ask() {
        StatefulRedisPubSubConnection<byte[], byte[]> to = connection;
        long now;
        boolean lost;
        synchronized (state) {
            lost = trusted && unanswered;
            now = term;
            unanswered = true;
        }
        if (lost) {
            suspect();
        }
        if (to == null || !to.isOpen()) {
            return;
        }
        if (!trusted) {
            askForTrust();
            return;
        }
        long askedAt = environment.clock().nanoTime();
        sync(to).whenComplete((answer, failure) -> {
            if (failure == null) {
                add(() -> check(now, Sync.of(answer), askedAt));
            }
        });
    }

    private void check(long since, Sync sync, long askedAt) {
        synchronized (state) {
            if (term != since) {
                return;
            }
            unanswered = false;
        }
        if (sync.sequence < applied) {
            onLoss.run();
        }
        if (applied != sync.sequence) {
            lost("a message, or all that Redis had,", sync.sequence);
        }
        learn(sync, askedAt);
    }

    private void lost(String what, long next) {
        if (trusted) {
            SafeLog.info(LOG, "cache \"{}\": what is near is dropped, {} was lost", cache, what);
        }
        near.dropAll();
        applied = next;
    }

    /** A message: {@code number:origin:k:key}, or {@code t:tag}, or {@code a:} for all keys. */
    private void hear(byte[] message) {
        near.heard();
        int first = indexOf(message, 0);
        int second = indexOf(message, first + 1);
        long number = -1;
        try {
            number = Long.parseLong(new String(message, 0, Math.max(first, 0), StandardCharsets.US_ASCII));
        } catch (NumberFormatException noMessage) {
            SafeLog.debug(LOG, "cache \"{}\": a message on its channel is none", cache, noMessage);
        }
        if (number < 0 || first < 0 || second < 0 || message.length < second + 3) {
            return; // sent by something else; if one of ours was lost, the next heartbeat finds that
        }
        byte[] what = Arrays.copyOfRange(message, second + 3, message.length);
        switch (message[second + 1]) {
            case 'a' -> {
                raiseFloor(number);
                near.dropAll();
            }
            case 't' -> near.dropTag(new String(what, StandardCharsets.UTF_8));
            default -> near.drop(what);
        }
        if (number != applied + 1) {
            lost("a message", number);
        }
        applied = number;
    }

    private static int indexOf(byte[] message, int from) {
        for (int i = from; i < message.length; i++) {
            if (message[i] == ':') {
                return i;
            }
        }
        return -1;
    }

    /** What client tracking says: the names of keys, or null for all of them. */
    private void hearOfOthers(List<Object> content) {
        Object keys = content.size() > 1 ? content.get(1) : null;
        if (!(keys instanceof List<?> list)) {
            near.dropAll(); // FLUSHALL, FLUSHDB
            return;
        }
        for (Object each : list) {
            if (each instanceof byte[] name && names.isValue(name)) {
                near.dropGone(names.keyOf(name));
            }
        }
    }

    /** Lets something be done after all that has come before; on the executor. */
    private void add(Runnable event) {
        if (waiting.get() > MAX_WAITING) {
            if (trusted) {
                suspect();
            }
            return;
        }
        incoming.add(event);
        if (waiting.getAndIncrement() == 0) {
            environment.handOver(this::work);
        }
    }

    private void work() {
        do {
            Runnable next = incoming.poll();
            if (next != null) {
                try {
                    next.run();
                } catch (Throwable broken) { // the codec, or equals, of a key; an Error too: all later ones wait
                    SafeLog.warn(
                            LOG, "cache \"{}\": what is near is dropped, a message could not be read", cache, broken);
                    dropAllAnyhow();
                }
            }
        } while (waiting.decrementAndGet() != 0);
    }

    /** What could not be dropped may be older than what a session has seen: the channel is not trusted then. */
    private void dropAllAnyhow() {
        try {
            near.dropAll();
        } catch (Throwable broken) {
            suspect();
        }
    }

    @Override
    public void close() {
        closed = true;
        synchronized (state) {
            term++;
            trusted = false;
        }
        Scheduler.Timer set = timer;
        if (set != null) {
            set.cancel();
        }
    }
}

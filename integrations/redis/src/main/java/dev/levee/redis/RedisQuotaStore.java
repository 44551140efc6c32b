package dev.levee.redis;

import dev.levee.core.Environment;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.shared.QuotaBatch;
import dev.levee.ratelimit.shared.QuotaGrant;
import dev.levee.ratelimit.shared.QuotaRequest;
import dev.levee.ratelimit.shared.QuotaStore;
import dev.levee.ratelimit.shared.QuotaTerms;
import io.lettuce.core.api.StatefulConnection;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * Keeps limits that several processes share in Redis or Valkey, through a connection of Lettuce that the application
 * has.
 *
 * <pre>
 * StatefulRedisConnection&lt;String, String&gt; connection = client.connect();
 * QuotaStore store = RedisQuotaStore.of(connection);
 * </pre>
 *
 * <p>A batch of requests is one script for each hash slot that it needs, mostly one in all: it decides at the server by
 * the server's time, in whole numbers, and there is no second trip. A script that the server does not have is sent with
 * its text, once. A batch that is sent again, by the caller or by a client that reconnects, is answered again and
 * charged once: with the state of a key goes what each process was answered last.
 *
 * <p><b>Which limits.</b> Token buckets that fill within about two years, and sliding windows of up to 2^32 permits;
 * {@link #check} says what is out of range. A rate that cannot be counted in numbers below 2^53 is kept slower, by less
 * than one part in 10,000.
 *
 * <p><b>When the server loses its data</b>, by a restart or a flush, limits begin with nothing and fill at their rate:
 * no window gets more than its bound. The same is so when a prefix is used for the first time, unless
 * {@link RedisLimitConfig.Builder#startFull} says otherwise. A clock of the server that jumps, because it was set or
 * because a replica with another clock has become the primary, adds nothing and freezes nothing: time passes for a
 * limit as it passes for the server or for the process that asks, whichever is slower; for a process that was just
 * started as it passes for the wall clocks of processes. What a fail-over may lose is what the old primary had not sent
 * to its replica. See ADR 146, ADR 147 and ADR 186.
 *
 * <p><b>A key of another program</b> fails alone, and is left as it is: see {@link QuotaGrant#failed}.
 *
 * <p><b>The connection</b> may have any codec, may be one to a cluster ({@code StatefulRedisClusterConnection}) or to a
 * primary with replicas, and may be used for other commands at the same time, though not for transactions, and
 * auto-flush stays on. It is never closed by this class. Let the server never evict keys ({@code noeviction}).
 *
 * <p>Failures are {@link RedisLimitException}s, which say what is wrong. Thread-safe; never blocks.
 *
 * @since 0.1
 */
public final class RedisQuotaStore implements QuotaStore {
    /** How long the script remembers what a process was answered, less than its constant {@code MEMORY}. */
    private static final long REPLAY_NANOS = TimeUnit.SECONDS.toNanos(5);

    private static final int MAX_CODES = 10_000;
    private static final long NANOS_PER_MICRO = ShardTimes.NANOS_PER_MICRO;

    /** The bytes of a request in the script, but for the words of its terms. */
    private static final int REQUEST_BYTES = PackedBytes.ORDERED_BYTES + 1 + 8 * Double.BYTES + 1;

    /** The codes of an answer, beside 0, and 1 where other terms apply. */
    private static final int CONFLICT = 2;

    private static final int FAILED = 3;
    static final String SCRIPT = RedisScript.text("mark.lua", "quota.lua");

    private final String label;
    private final StatefulConnection<?, ?> connection;
    private final RedisLimitConfig config;
    private final Environment environment;
    private final RedisScript script;
    private final RedisKeys keys;
    private final Map<QuotaTerms, TermsCode> codes = new ConcurrentHashMap<>();

    private final ShardTimes times;

    RedisQuotaStore(
            StatefulConnection<?, ?> connection, RedisLimitConfig config, Environment environment, String script) {
        this.connection = Require.nonNull("connection", connection);
        this.config = Require.nonNull("config", config);
        this.label = "redis \"" + config.prefix() + "\"";
        this.script = new RedisScript(script);
        this.keys = new RedisKeys(config);
        this.environment = Require.nonNull("environment", environment);
        this.times = new ShardTimes(config.shards(), environment);
    }

    /**
     * Makes a store with the default settings, in {@link Environment#system()}.
     *
     * @param connection to a server, to a cluster, or to a primary with replicas; never closed by the store
     * @return the store
     * @throws NullPointerException if {@code connection} is null
     */
    public static RedisQuotaStore of(StatefulConnection<?, ?> connection) {
        return of(connection, Environment.system());
    }

    /**
     * Makes a store with the default settings.
     *
     * @param connection to a server, to a cluster, or to a primary with replicas; never closed by the store
     * @param environment supplies the clock
     * @return the store
     * @throws NullPointerException if an argument is null
     */
    public static RedisQuotaStore of(StatefulConnection<?, ?> connection, Environment environment) {
        return of(connection, RedisLimitConfig.builder().build(), environment);
    }

    /**
     * Makes a store in {@link Environment#system()}.
     *
     * @param connection to a server, to a cluster, or to a primary with replicas; never closed by the store
     * @param configure sets what differs from the defaults
     * @return the store
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if a setting is out of its range
     */
    public static RedisQuotaStore of(
            StatefulConnection<?, ?> connection, Consumer<? super RedisLimitConfig.Builder> configure) {
        return of(connection, configure, Environment.system());
    }

    /**
     * Makes a store.
     *
     * @param connection to a server, to a cluster, or to a primary with replicas; never closed by the store
     * @param configure sets what differs from the defaults
     * @param environment supplies the clock
     * @return the store
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if a setting is out of its range
     */
    public static RedisQuotaStore of(
            StatefulConnection<?, ?> connection,
            Consumer<? super RedisLimitConfig.Builder> configure,
            Environment environment) {
        return of(connection, RedisLimitConfig.of(configure), environment);
    }

    /**
     * Makes a store.
     *
     * @param connection to a server, to a cluster, or to a primary with replicas; never closed by the store
     * @param config the settings
     * @param environment supplies the clock
     * @return the store
     * @throws NullPointerException if an argument is null
     */
    public static RedisQuotaStore of(
            StatefulConnection<?, ?> connection, RedisLimitConfig config, Environment environment) {
        return new RedisQuotaStore(connection, config, environment, SCRIPT);
    }

    @Override
    public void check(Limit limit) {
        TermsCode.of(new QuotaTerms(limit, 0, 0));
    }

    @Override
    public long replayNanos() {
        return REPLAY_NANOS;
    }

    @Override
    public CompletableFuture<List<QuotaGrant>> take(QuotaBatch batch) {
        Taking taking = new Taking(batch);
        try {
            taking.begin();
        } catch (IllegalArgumentException outOfRange) {
            taking.cancelRuns();
            taking.completeExceptionally(outOfRange);
        }
        return taking;
    }

    private TermsCode code(QuotaTerms terms) {
        TermsCode known = codes.get(terms);
        if (known == null) {
            if (codes.size() >= MAX_CODES) {
                codes.clear();
            }
            known = TermsCode.of(terms);
            codes.put(terms, known);
        }
        return known;
    }

    /** Returns an argument of the script. */
    private static byte[] pack(QuotaRequest request, TermsCode code) {
        return new PackedBytes(REQUEST_BYTES + code.text().length())
                .ordered(request.terms().revision())
                .one(code.kind())
                .number(code.c1())
                .number(code.c2())
                .number(code.c3())
                .number(request.used())
                .number(Math.floorDiv(request.takenNanos(), NANOS_PER_MICRO))
                .number(request.needed())
                .number(request.demanded())
                .number(request.wanted())
                .one(code.text().length())
                .text(code.text())
                .bytes();
    }

    private static long nanos(long micros) {
        return micros < 0 || micros > Nanos.NEVER / NANOS_PER_MICRO ? QuotaGrant.NEVER : micros * NANOS_PER_MICRO;
    }

    /** A batch that is under way, by a script for each of its shards. */
    private final class Taking extends CompletableFuture<List<QuotaGrant>> {
        private final QuotaBatch batch;
        private final QuotaGrant[] grants;
        private final List<CompletableFuture<ScriptReply>> runs = new ArrayList<>(1);
        private final AtomicInteger unanswered = new AtomicInteger(1);

        Taking(QuotaBatch batch) {
            this.batch = batch;
            this.grants = new QuotaGrant[batch.requests().size()];
        }

        void begin() {
            if (config.shards() == 1) {
                int[] all = new int[grants.length];
                Arrays.setAll(all, place -> place);
                begin(0, all);
            } else {
                Map<Integer, List<Integer>> shards = new TreeMap<>();
                for (int i = 0; i < grants.length; i++) {
                    QuotaRequest request = batch.requests().get(i);
                    shards.computeIfAbsent(keys.shard(request.limiter(), request.key()), shard -> new ArrayList<>())
                            .add(i);
                }
                shards.forEach((shard, places) ->
                        begin(shard, places.stream().mapToInt(it -> it).toArray()));
            }
            answered();
        }

        /** Sends the requests of one shard. */
        private void begin(int shard, int[] places) {
            byte[][] names = new byte[places.length + 1][];
            byte[][] arguments = new byte[places.length + 1][];
            names[0] = keys.mark(shard);
            long latest = -1;
            long fill = 0;
            for (int i = 0; i < places.length; i++) {
                QuotaRequest request = batch.requests().get(places[i]);
                TermsCode code = code(request.terms());
                names[i + 1] = keys.of(shard, request.limiter(), request.key());
                arguments[i + 1] = pack(request, code);
                fill = Math.max(fill, code.fillMicros());
                if (request.latestNanos() != Long.MAX_VALUE) {
                    latest = Math.max(latest, Math.floorDiv(request.latestNanos(), NANOS_PER_MICRO));
                }
            }
            ShardTimes.TimeClaim claim = times.claim(shard, latest < 0 ? PackedBytes.MAX_NUMBER : latest);
            arguments[0] =
                    PackedBytes.head(batch.node(), batch.sequence(), claim, config.startFull(), fill, environment);
            CompletableFuture<ScriptReply> run = script.run(connection, names, arguments);
            runs.add(run);
            unanswered.incrementAndGet();
            run.whenComplete((answer, error) -> {
                if (error != null) {
                    completeExceptionally(RedisLimitException.of(label, error));
                } else {
                    answered(answer, shard, places, claim);
                }
            });
        }

        private void answered(ScriptReply answer, int shard, int[] places, ShardTimes.TimeClaim claim) {
            try {
                long time = answer.number();
                for (int place : places) {
                    grants[place] = grant(answer);
                }
                answer.end();
                times.learn(shard, time, claim);
            } catch (RuntimeException notUnderstood) {
                completeExceptionally(RedisLimitException.answer(label, answer.toString(), notUnderstood));
                return;
            }
            answered();
        }

        private QuotaGrant grant(ScriptReply answer) {
            int code = (int) answer.number();
            long permits = answer.number();
            long wait = nanos(answer.number());
            long remaining = answer.number();
            long reset = nanos(answer.number());
            int sharers = (int) answer.number();
            long time = nanos(answer.number());
            if (code == FAILED) {
                return QuotaGrant.failed(RedisLimitException.said(label, answer.text()));
            }
            QuotaTerms other = null;
            if (code > 0) {
                String text = answer.text();
                int slash = text.indexOf('/');
                other = TermsCode.decode(text.substring(slash + 1), PackedBytes.unordered(text.substring(0, slash)));
            }
            return new QuotaGrant(permits, wait, remaining, reset, sharers, time, other, code == CONFLICT);
        }

        /** Notes that one shard has answered, or that all were asked. */
        private void answered() {
            if (unanswered.decrementAndGet() == 0) {
                complete(List.of(grants));
            }
        }

        void cancelRuns() {
            runs.forEach(run -> run.cancel(false));
        }

        @Override
        public boolean cancel(boolean mayInterrupt) {
            boolean cancelled = super.cancel(mayInterrupt);
            if (cancelled) {
                cancelRuns();
            }
            return cancelled;
        }
    }

    @Override
    public String toString() {
        return label;
    }
}

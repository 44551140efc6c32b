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
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
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
 * limit as it passes for the server or for the process that asks, whichever is slower; only where the first question
 * after a jump ahead comes from a new process a limit may fill once. What a fail-over may lose is what the old primary
 * had not sent to its replica. See ADR 146 and ADR 147.
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

    /** The largest number that is passed to the script. */
    static final long MAX_NUMBER = 1L << 52;

    private static final int MAX_CODES = 10_000;
    private static final long NANOS_PER_MICRO = 1000;
    static final String SCRIPT = RedisScript.text("mark.lua", "quota.lua");

    private final String label;
    private final StatefulConnection<?, ?> connection;
    private final RedisLimitConfig config;
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
        this.times = new ShardTimes(config.shards(), Require.nonNull("environment", environment));
    }

    /**
     * Makes a store with the default settings, in {@link Environment#system()}.
     *
     * @param connection to a server, to a cluster, or to a primary with replicas; never closed by the store
     * @return the store
     * @throws NullPointerException if {@code connection} is null
     */
    public static RedisQuotaStore of(StatefulConnection<?, ?> connection) {
        return of(connection, RedisLimitConfig.builder().build(), Environment.system());
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
        List<QuotaRequest> requests = batch.requests();
        Map<Integer, List<Integer>> shards = new TreeMap<>();
        for (int i = 0; i < requests.size(); i++) {
            QuotaRequest request = requests.get(i);
            shards.computeIfAbsent(keys.shard(request.limiter(), request.key()), shard -> new ArrayList<>())
                    .add(i);
        }
        QuotaGrant[] grants = new QuotaGrant[requests.size()];
        List<CompletableFuture<?>> parts = new ArrayList<>(shards.size());
        List<CompletableFuture<String>> runs = new ArrayList<>(shards.size());
        try {
            shards.forEach((shard, places) -> {
                CompletableFuture<String> run = run(shard, batch, places, grants, parts);
                runs.add(run);
            });
        } catch (IllegalArgumentException outOfRange) {
            runs.forEach(run -> run.cancel(false));
            return CompletableFuture.failedFuture(outOfRange);
        }
        CompletableFuture<List<QuotaGrant>> answer = new CompletableFuture<>();
        CompletableFuture.allOf(parts.toArray(CompletableFuture[]::new)).whenComplete((done, error) -> {
            if (error == null) {
                answer.complete(List.of(grants));
            } else {
                answer.completeExceptionally(RedisLimitException.of(label, error));
            }
        });
        answer.whenComplete((done, error) -> {
            if (answer.isCancelled()) {
                runs.forEach(run -> run.cancel(false));
            }
        });
        return answer;
    }

    /** Sends the requests of one shard, and writes their answers to their places. */
    private CompletableFuture<String> run(
            int shard, QuotaBatch batch, List<Integer> places, QuotaGrant[] grants, List<CompletableFuture<?>> parts) {
        List<String> names = new ArrayList<>(places.size() + 1);
        List<String> arguments = new ArrayList<>(5 + 11 * places.size());
        names.add(keys.mark(shard));
        arguments.add(RedisKeys.node(batch.node()));
        arguments.add(ordered(batch.sequence()));
        arguments.add(""); // the latest time
        arguments.add("0");
        arguments.add(""); // the longest time to fill
        long latest = -1;
        long fill = 0;
        for (int place : places) {
            QuotaRequest request = batch.requests().get(place);
            TermsCode code = code(request.terms());
            names.add(keys.of(shard, request.limiter(), request.key()));
            Collections.addAll(
                    arguments,
                    ordered(request.terms().revision()),
                    code.text(),
                    code.kind(),
                    Long.toString(code.c1()),
                    Long.toString(code.c2()),
                    Long.toString(code.c3()),
                    number(request.used()),
                    number(Math.floorDiv(request.takenNanos(), NANOS_PER_MICRO)),
                    number(request.needed()),
                    number(request.demanded()),
                    number(request.wanted()));
            fill = Math.max(fill, code.fillMicros());
            if (request.latestNanos() != Long.MAX_VALUE) {
                latest = Math.max(latest, Math.floorDiv(request.latestNanos(), NANOS_PER_MICRO));
            }
        }
        ShardTimes.TimeClaim claim = times.claim(shard, latest < 0 ? MAX_NUMBER : latest);
        arguments.set(2, number(claim.micros()));
        arguments.set(3, config.startFull() && claim.isFirst() ? "1" : "0");
        arguments.set(4, number(fill));
        CompletableFuture<String> run = script.run(connection, names, arguments);
        parts.add(run.thenAccept(answer -> read(answer, shard, places, grants, claim)));
        return run;
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

    private void read(String answer, int shard, List<Integer> places, QuotaGrant[] grants, ShardTimes.TimeClaim claim) {
        try {
            String[] parts = answer.split(";", -1);
            if (parts.length != places.size() + 1) {
                throw new IllegalArgumentException(parts.length - 1 + " answers to " + places.size() + " requests");
            }
            long time = Long.parseLong(parts[0]);
            for (int i = 0; i < places.size(); i++) {
                grants[places.get(i)] = grant(parts[i + 1]);
            }
            times.learn(shard, time, claim);
        } catch (RuntimeException notUnderstood) {
            throw RedisLimitException.answer(label, answer, notUnderstood);
        }
    }

    private static QuotaGrant grant(String text) {
        String[] words = text.split(" ", -1);
        int code = Integer.parseInt(words[6]);
        QuotaTerms other = null;
        if (code > 0) {
            int slash = words[7].indexOf('/');
            other = TermsCode.decode(words[7].substring(slash + 1), unordered(words[7].substring(0, slash)));
        }
        return new QuotaGrant(
                Long.parseLong(words[0]),
                nanos(Long.parseLong(words[1])),
                Long.parseLong(words[2]),
                nanos(Long.parseLong(words[3])),
                Integer.parseInt(words[4]),
                nanos(Long.parseLong(words[5])),
                other,
                code == 2);
    }

    private static long nanos(long micros) {
        return micros < 0 || micros > Nanos.NEVER / NANOS_PER_MICRO ? QuotaGrant.NEVER : micros * NANOS_PER_MICRO;
    }

    static String number(long value) {
        return Long.toString(Math.max(-MAX_NUMBER, Math.min(MAX_NUMBER, value)));
    }

    /** Returns a number as text that is ordered as it is. */
    static String ordered(long value) {
        String hex = Long.toHexString(value ^ Long.MIN_VALUE);
        return "0".repeat(16 - hex.length()) + hex;
    }

    static long unordered(String hex) {
        return Long.parseUnsignedLong(hex, 16) ^ Long.MIN_VALUE;
    }

    @Override
    public String toString() {
        return label;
    }
}

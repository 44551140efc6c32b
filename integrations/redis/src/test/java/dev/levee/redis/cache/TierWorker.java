package dev.levee.redis.cache;

import dev.levee.cache.BulkLoader;
import dev.levee.cache.Codec;
import dev.levee.cache.PartialLoadException;
import dev.levee.cache.Store;
import dev.levee.cache.StoreException;
import dev.levee.core.CallContext;
import dev.levee.core.consistency.Consistency;
import dev.levee.core.consistency.Session;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.sync.RedisCommands;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * A process with a cache of two tiers. Its database is another Redis, which is linearizable and never disturbed. Each
 * key has one writer, whose values count upwards, so it is known which of two values is the newer one. Sessions lie in
 * the database and go from process to process; what each has seen is checked at each read.
 *
 * <p>Even keys are written through the cache, odd ones past it and then invalidated, by their tag if they have one.
 */
final class TierWorker implements Store<String, String>, BulkLoader<String, String> {
    static final int KEYS = 24;
    private static final int SESSIONS = 16;

    private static final int KEYS_OF_MANY = 4;

    private final boolean failing;
    private final boolean tagged;
    private final int process;
    private final int processes;
    private final RedisCommands<String, String> rows;
    private final TwoTierCache<String, String> cache;
    private volatile boolean monotonic = true;
    private final AtomicLong reads = new AtomicLong();
    private final AtomicLong writes = new AtomicLong();
    private final AtomicInteger violations = new AtomicInteger();

    private TierWorker(int cachePort, int rowsPort, int process, int processes, String form) {
        this.failing = form.equals("failing");
        this.tagged = form.equals("tagged");
        this.process = process;
        this.processes = processes;
        rows = RedisClient.create("redis://127.0.0.1:" + rowsPort).connect().sync();
        RedisTier.Builder<String, String> tier = RedisTier.builder(
                        RedisClient.create("redis://127.0.0.1:" + cachePort), Codec.strings(), Codec.strings())
                .heartbeat(Duration.ofMillis(200))
                .retryAfter(Duration.ofMillis(50))
                .timeout(Duration.ofMillis(500));
        if (failing) {
            tier.failWhenGone();
        }
        cache = TwoTierCache.over("rows", tier.build(), this, near -> {
            near.writeThrough().expireAfter(Duration.ofHours(1));
            if (tagged) {
                near.tags((key, value) -> List.of(tag(key)));
            }
        });
    }

    public static void main(String[] args) throws IOException, InterruptedException {
        TierWorker worker = new TierWorker(
                Integer.parseInt(args[0]),
                Integer.parseInt(args[1]),
                Integer.parseInt(args[2]),
                Integer.parseInt(args[3]),
                args[4]);
        Tiers.trusted(worker.cache);
        System.out.println("ready");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ", -1);
            switch (words[0]) {
                case "run" -> worker.run(Integer.parseInt(words[1]), Integer.parseInt(words[2]), words[3]);
                case "verify" -> worker.verify();
                case "monotonic" -> worker.monotonic = Boolean.parseBoolean(words[1]);
                case "echo" -> worker.echo(Integer.parseInt(words[1]));
                case "change" -> worker.change(Integer.parseInt(words[1]));
                default -> throw new IllegalArgumentException(line);
            }
        }
        Runtime.getRuntime().halt(0);
    }

    @Override
    public String load(String key) {
        return rows.get("row:" + key);
    }

    @Override
    public Map<String, String> loadAll(Set<String> keys) {
        Map<String, String> found = new HashMap<>();
        rows.mget(keys.stream().map(key -> "row:" + key).toArray(String[]::new))
                .forEach(each ->
                        each.ifHasValue(value -> found.put(each.getKey().substring("row:".length()), value)));
        return found;
    }

    private static String tag(String key) {
        return "of " + key;
    }

    @Override
    public void save(String key, String value) {
        rows.set("row:" + key, value);
    }

    @Override
    public void delete(String key) {
        rows.del("row:" + key);
    }

    /** What a user has seen: the newest value of each key, and its position in the history of the cache. */
    private record User(Session session, Map<String, Long> seen) {
        static User parse(String text) {
            String[] parts = text.split("\\|", -1);
            Map<String, Long> seen = new HashMap<>();
            Arrays.stream(parts[1].split(";", -1))
                    .filter(each -> !each.isEmpty())
                    .forEach(each -> {
                        int at = each.indexOf('=');
                        seen.put(each.substring(0, at), Long.parseLong(each.substring(at + 1)));
                    });
            return new User(Session.parse(parts[0]), seen);
        }

        String text() {
            StringBuilder text = new StringBuilder(session.toHeader()).append('|');
            seen.forEach(
                    (key, value) -> text.append(key).append('=').append(value).append(';'));
            return text.toString();
        }
    }

    static void prepare(RedisCommands<String, String> rows) {
        for (int i = 0; i < SESSIONS; i++) {
            rows.rpush("sessions", new User(new Session(), Map.of()).text());
        }
        for (int i = 0; i < KEYS; i++) {
            rows.set("row:k" + i, "0");
        }
    }

    private void run(int threads, int operations, String seed) throws InterruptedException {
        List<Thread> running = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            int number = t;
            Random random = new Random(Long.parseLong(seed) * 31 + process * 7L + t);
            Thread thread = new Thread(() -> {
                for (int i = 0; i < operations; i++) {
                    try {
                        operate(random, number, threads);
                    } catch (StoreException | PartialLoadException gone) {
                        if (!failing) {
                            report("failed: " + gone);
                        }
                    } catch (RuntimeException failed) {
                        report("failed: " + failed);
                    }
                }
            });
            thread.start();
            running.add(thread);
        }
        for (Thread each : running) {
            each.join();
        }
        System.out.println("done " + reads + " " + writes + " " + violations);
    }

    private void operate(Random random, int thread, int threads) {
        String stored = rows.lpop("sessions");
        if (stored == null) {
            return;
        }
        User user = User.parse(stored);
        try {
            operate(user, random, thread, threads);
        } finally {
            rows.rpush("sessions", user.text());
        }
    }

    private void operate(User user, Random random, int thread, int threads) {
        CallContext context = CallContext.current().withSession(user.session).withConsistency(Consistency.session());
        int index = random.nextInt(KEYS);
        int dice = random.nextInt(100);
        if (dice < 25) {
            int writers = processes * threads;
            int mine = random.nextInt(KEYS / writers) * writers + process * threads + thread;
            context.run(() -> write(user, "k" + mine));
        } else if (dice < 35) {
            String key = "k" + index;
            String done = rows.get("done:" + key);
            String value =
                    context.withConsistency(Consistency.strong()).<String, RuntimeException>call(() -> cache.get(key));
            if (done != null && number(value) < number(done)) {
                report("strong read of " + key + ": " + value + " after " + done);
            }
            see(user, key, number(value), index % 2 == 0);
        } else if (dice < 45) {
            reads.incrementAndGet();
            cache.get("k" + index);
        } else if (dice < 55) {
            List<String> keys = new ArrayList<>();
            for (int i = 0; i < KEYS_OF_MANY; i++) {
                keys.add("k" + (index + i * i) % KEYS);
            }
            Map<String, String> values = context.<Map<String, String>, RuntimeException>call(() -> cache.getAll(keys));
            keys.stream().distinct().forEach(key -> {
                boolean ofWriters = Integer.parseInt(key.substring(1)) % 2 == 0;
                see(user, key, number(values.get(key)), ofWriters);
            });
        } else {
            String key = "k" + index;
            String value = context.<String, RuntimeException>call(() -> cache.get(key));
            see(user, key, number(value), index % 2 == 0);
        }
    }

    private void write(User user, String key) {
        long next = number(rows.get("row:" + key)) + 1;
        String value = Long.toString(next);
        if (Integer.parseInt(key.substring(1)) % 2 == 0) {
            cache.put(key, value);
        } else {
            rows.set("row:" + key, value);
            if (tagged && next % 2 == 0) {
                cache.invalidateTag(tag(key));
            } else {
                cache.invalidate(key);
            }
        }
        rows.set("done:" + key, value);
        user.seen.merge(key, next, Math::max);
        writes.incrementAndGet();
    }

    /** A session never reads an older value than it wrote, nor, of keys written through, than it has read. */
    private void see(User user, String key, long value, boolean ofWriters) {
        reads.incrementAndGet();
        Long before = user.seen.get(key);
        if (before != null && value < before) {
            report("session read of " + key + ": " + value + " after " + before + " at " + user.session);
        }
        if (ofWriters && monotonic) {
            user.seen.merge(key, value, Math::max);
        }
    }

    private static long number(String value) {
        return value == null ? 0 : Long.parseLong(value);
    }

    private void report(String what) {
        if (violations.incrementAndGet() <= 20) {
            System.out.println("violation " + what);
        }
    }

    /** When nothing is written any more, each key has its last value after a moment, and keeps it. */
    private void verify() throws InterruptedException {
        List<String> stale = new ArrayList<>();
        long start = System.nanoTime();
        for (int i = 0; i < KEYS; i++) {
            String key = "k" + i;
            String row = rows.get("row:" + key);
            while (!row.equals(cache.get(key)) && System.nanoTime() - start < 20_000_000_000L) {
                Thread.sleep(1);
            }
            if (!row.equals(cache.get(key))) {
                stale.add(key);
            }
        }
        System.out.println("verified " + stale.size() + " " + stale);
    }

    /** Says when it sees each of the values that another process writes. */
    private void echo(int count) {
        for (int i = 1; i <= count; i++) {
            String value = Integer.toString(i);
            while (!value.equals(cache.get("echo"))) {
                LockSupport.parkNanos(20_000);
            }
            rows.set("echoed", System.nanoTime() + ":" + i);
        }
        System.out.println("echoed");
    }

    private void change(int count) {
        long[] nanos = new long[count];
        for (int i = 1; i <= count; i++) {
            rows.set("row:echo", Integer.toString(i));
            long begin = System.nanoTime();
            cache.invalidate("echo");
            String echoed = rows.get("echoed");
            while (echoed == null || !echoed.endsWith(":" + i)) {
                LockSupport.parkNanos(200_000);
                echoed = rows.get("echoed");
            }
            nanos[i - 1] = Long.parseLong(echoed.substring(0, echoed.indexOf(':'))) - begin;
        }
        Arrays.sort(nanos);
        System.out.println("changed p50 " + nanos[count / 2] / 1000 + " us, p99.9 "
                + nanos[(int) (count * 0.999)] / 1000 + " us, max " + nanos[count - 1] / 1000 + " us");
    }
}

package dev.levee.cache;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One schedule of loads of a few keys against invalidations of keys, tags and all, puts and removes, drawn from a seed:
 * the same seed is the same schedule.
 *
 * <p>All runs on one thread. Where other threads could come in between (before and after the store is read, at each
 * reading of the clock, in the function of tags, where something is handed over, while a caller is parked), the
 * schedule lets other operations happen, up to three within each other. Each value says when it was read. It is stale
 * if a key, a tag of it or all was invalidated after that and a caller gets it that has come since, now or at the end.
 */
final class StoreRace {
    static final int KEYS = 3;
    static final List<String> TAGS = List.of("x", "y", "z");

    private static final int STEPS = 30;
    private static final int MAX_DEPTH = 3;
    private static final long LIFE = 1_000;

    /** A value, and when it was read or put. */
    static final class Row {
        final int key;
        final Set<String> tags;

        /** What is put counts from the end of that call on: an invalidation during it comes before. */
        long readAt;

        Row(int key, long readAt, Set<String> tags) {
            this.key = key;
            this.readAt = readAt;
            this.tags = tags;
        }

        @Override
        public String toString() {
            return key + " of " + readAt + tags;
        }
    }

    /** How the cache is filled. */
    enum Form {
        SINGLE,
        BULK,
        GATHERED,
        STAGES
    }

    /** Makes the cache; where a fault is planted. */
    @FunctionalInterface
    interface Making {
        LocalCache<Integer, Row> cache(
                Loader<Integer, Row> loader, CacheConfig<Integer, Row> config, Environment environment);
    }

    private final IOException planned = new IOException("planned");
    private final SplittableRandom random;
    private final Random draws;
    private final Form form;
    private final LocalCache<Integer, Row> cache;
    private final List<Runnable> tasks = new ArrayList<>();
    private final List<Runnable> timers = new ArrayList<>();
    private final List<Reading> readings = new ArrayList<>();
    private final List<String> rowTags = new ArrayList<>(List.of("x", "x", "y"));
    private final long[] keyFloors = new long[KEYS];
    private final Map<String, Long> tagFloors = new HashMap<>();
    private final List<String> log = new ArrayList<>();
    private final boolean tells;
    private long allFloor;
    private long sequence;
    private long now;
    private int depth;
    private boolean quiet;
    private @Nullable String stale;

    /** A stage that the store has not completed. */
    private static final class Reading {
        final int key;
        final CompletableFuture<Row> stage = new CompletableFuture<>();

        boolean isRead;

        @Nullable Row row;

        Reading(int key) {
            this.key = key;
        }
    }

    private StoreRace(long seed, Making making, boolean tells) {
        this.tells = tells;
        random = new SplittableRandom(seed);
        draws = new Random(seed);
        form = Form.values()[random.nextInt(Form.values().length)];
        CacheConfig.Builder<Integer, Row> config = CacheConfig.<Integer, Row>builder()
                .expireAfter(Duration.ofNanos(LIFE))
                .tags((key, row) -> {
                    between();
                    return row.tags;
                });
        if (form == Form.GATHERED) {
            config.gather(Duration.ofNanos(10), 2);
        }
        if (random.nextInt(3) == 0) {
            config.refreshAfter(Duration.ofNanos(LIFE / 2));
        }
        if (random.nextInt(3) == 0) {
            config.staleWhileRevalidate(Duration.ofNanos(LIFE)).staleIfError(Duration.ofNanos(LIFE * 2));
        }
        if (random.nextInt(4) == 0) {
            config.loadTimeout(Duration.ofNanos(LIFE));
        }
        if (random.nextInt(4) == 0) {
            config.expireAbsentAfter(Duration.ofNanos(LIFE)).expireFailuresAfter(Duration.ofNanos(LIFE));
        }
        Environment environment = Environment.builder()
                .clock(this::clock)
                .scheduler(new Turns())
                .executor(this::later)
                .random(draws)
                .build();
        cache = making.cache(loader(), config.build(), environment);
    }

    /** Runs a schedule; returns what was stale with what led to it, or null. */
    static @Nullable String run(long seed, Making making) {
        if (new StoreRace(seed, making, false).run() == null) {
            return null;
        }
        return new StoreRace(seed, making, true).run(); // the same once more
    }

    private void note(Supplier<String> what) {
        if (tells) {
            log.add(what.get());
        }
    }

    private @Nullable String run() {
        for (int step = 0; step < STEPS && stale == null; step++) {
            step();
            look();
        }
        while (stale == null && goOn()) {
            look();
        }
        look();
        return stale == null ? null : form + " " + stale + "\n" + String.join("\n", log);
    }

    // What happens at one point of the schedule.

    private void step() {
        int key = random.nextInt(KEYS);
        switch (random.nextInt(20)) {
            case 0, 1, 2 -> getAsync(key);
            case 3 -> getAll(false);
            case 4 -> invalidate(key);
            case 5, 6 -> invalidateTag(TAGS.get(random.nextInt(TAGS.size())));
            case 7 -> invalidateAll();
            case 8 -> {
                if (random.nextInt(3) == 0) {
                    put(key);
                } else {
                    changeIf(key);
                }
            }
            case 9 -> {
                if (random.nextInt(3) == 0) {
                    removeIf(key);
                } else {
                    remove(key);
                }
            }
            case 10 -> rowTags.set(key, TAGS.get(random.nextInt(TAGS.size())));
            case 11 -> now += random.nextInt((int) LIFE);
            case 12 -> {
                if (depth == 0) {
                    get(key);
                }
            }
            case 13 -> {
                if (depth == 0) {
                    getAll(true);
                }
            }
            default -> goOn();
        }
    }

    /** Lets something go on that waits; false if nothing does. */
    private boolean goOn() {
        int waiting = tasks.size() + timers.size() + readings.size();
        if (waiting == 0) {
            return false;
        }
        int which = random.nextInt(waiting);
        if (which < tasks.size()) {
            tasks.remove(which).run();
        } else if (which < tasks.size() + timers.size()) {
            timers.remove(which - tasks.size()).run();
        } else {
            read(readings.get(which - tasks.size() - timers.size()));
        }
        return true;
    }

    private void read(Reading reading) {
        if (!reading.isRead) {
            reading.isRead = true;
            reading.row = row(reading.key);
            return;
        }
        readings.remove(reading);
        note(() -> "stage of " + reading.row);
        if (fails()) {
            reading.stage.completeExceptionally(planned);
        } else {
            reading.stage.complete(reading.row);
        }
    }

    private boolean fails() {
        return random.nextInt(12) == 0;
    }

    /** A point at which other threads could come in between. */
    private void between() {
        if (quiet || depth >= MAX_DEPTH || random.nextInt(4) != 0) {
            return;
        }
        depth++;
        Loading here = Loading.current();
        Loading.leave(null);
        try {
            step();
        } finally {
            depth--;
            Loading.leave(here);
        }
    }

    // Operations.

    private void getAsync(int key) {
        long floor = floor(key);
        long since = sequence++;
        Map<String, Long> tags = new HashMap<>(tagFloors);
        note(() -> "getAsync " + key);
        cache.getAsync(key).whenComplete((row, failure) -> got(row, failure, key, floor, tags, since));
    }

    private void get(int key) {
        long floor = floor(key);
        long since = sequence++;
        Map<String, Long> tags = new HashMap<>(tagFloors);
        note(() -> "get " + key);
        try {
            got(cache.get(key), null, key, floor, tags, since);
        } catch (RuntimeException failure) {
            got(null, failure, key, floor, tags, since);
        }
    }

    private void getAll(boolean blocking) {
        Set<Integer> keys = new LinkedHashSet<>();
        for (int i = 0; i < 2; i++) {
            keys.add(random.nextInt(KEYS));
        }
        long[] floors = new long[KEYS];
        Arrays.setAll(floors, this::floor);
        long since = sequence++;
        Map<String, Long> tags = new HashMap<>(tagFloors);
        note(() -> (blocking ? "getAll " : "getAllAsync ") + keys);
        if (blocking) {
            try {
                cache.getAll(keys).forEach((key, row) -> got(row, null, key, floors[key], tags, since));
            } catch (RuntimeException failure) {
                got(null, failure, -1, 0, tags, since);
            }
        } else {
            cache.getAllAsync(keys).whenComplete((rows, failure) -> {
                if (failure != null) {
                    got(null, failure, -1, 0, tags, since);
                } else {
                    rows.forEach((key, row) -> got(row, null, key, floors[key], tags, since));
                }
            });
        }
    }

    private void got(
            @Nullable Row row, @Nullable Throwable failure, int key, long floor, Map<String, Long> tags, long since) {
        if (failure != null) {
            if (!isPlanned(failure)) {
                stale = "failed: " + failure;
            }
        } else if (row != null && isBelow(row, floor, tags)) {
            stale = "a caller since " + since + " got " + row + " for " + key;
        }
    }

    private boolean isPlanned(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root instanceof TimeoutException || root == planned;
    }

    private static boolean isBelow(Row row, long floor, Map<String, Long> tags) {
        return row.readAt < floor || row.tags.stream().anyMatch(tag -> row.readAt < tags.getOrDefault(tag, 0L));
    }

    private void invalidate(int key) {
        long at = sequence++;
        note(() -> "invalidate " + key + " at " + at);
        cache.invalidate(key);
        keyFloors[key] = Math.max(keyFloors[key], at);
    }

    private void remove(int key) {
        long at = sequence++;
        note(() -> "remove " + key + " at " + at);
        cache.remove(key);
        keyFloors[key] = Math.max(keyFloors[key], at);
    }

    private void invalidateTag(String tag) {
        long at = sequence++;
        note(() -> "invalidateTag " + tag + " at " + at);
        cache.invalidateTag(tag);
        tagFloors.merge(tag, at, Math::max);
    }

    private void invalidateAll() {
        long at = sequence++;
        note(() -> "invalidateAll at " + at);
        cache.invalidateAll();
        allFloor = Math.max(allFloor, at);
    }

    private void put(int key) {
        Row row = new Row(key, Long.MAX_VALUE, Set.of(rowTags.get(key)));
        cache.put(key, row);
        row.readAt = sequence++;
        note(() -> "put " + row);
    }

    private void changeIf(int key) {
        Row row = new Row(key, Long.MAX_VALUE, Set.of(rowTags.get(key)));
        Row held = cache.getIfPresent(key);
        boolean set = held == null ? cache.putIfAbsent(key, row) == null : cache.replace(key, held, row);
        row.readAt = sequence++;
        note(() -> (held == null ? "putIfAbsent " : "replace ") + row + (set ? "" : ": no"));
    }

    private void removeIf(int key) {
        Row held = cache.getIfPresent(key);
        if (held != null) {
            long at = sequence++;
            boolean removed = cache.remove(key, held);
            note(() -> "remove " + held + " at " + at + (removed ? "" : ": no"));
            if (removed) {
                keyFloors[key] = Math.max(keyFloors[key], at);
            }
        }
    }

    private long floor(int key) {
        return Math.max(allFloor, keyFloors[key]);
    }

    private void look() {
        quiet = true;
        for (int key = 0; key < KEYS && stale == null; key++) {
            Row row = cache.getIfPresent(key);
            if (row != null && isBelow(row, floor(key), tagFloors)) {
                stale = "the cache has " + row;
            }
        }
        quiet = false;
    }

    // The store.

    private @Nullable Row row(int key) {
        if (random.nextInt(12) == 0) {
            note(() -> "read nothing for " + key);
            sequence++;
            return null;
        }
        Row row = new Row(key, sequence++, Set.of(rowTags.get(key)));
        note(() -> "read " + row);
        return row;
    }

    private @Nullable Row readBlocking(int key) throws IOException {
        between();
        Row row = row(key);
        between();
        if (fails()) {
            throw planned;
        }
        return row;
    }

    private Loader<Integer, Row> loader() {
        return switch (form) {
            case SINGLE -> this::readBlocking;
            case STAGES -> new Stages();
            case BULK, GATHERED -> (BulkLoader<Integer, Row>) this::readAll;
        };
    }

    private Map<Integer, Row> readAll(Collection<Integer> keys) throws IOException {
        Map<Integer, Row> rows = new LinkedHashMap<>();
        for (int key : keys) {
            rows.put(key, readBlocking(key));
        }
        for (int other = 0; other < KEYS; other++) { // more than asked for
            rows.putIfAbsent(other, row(other));
        }
        between();
        return rows;
    }

    private final class Stages implements AsyncLoader<Integer, Row> {
        @Override
        public CompletionStage<Row> loadAsync(Integer key, Executor executor) {
            between();
            Reading reading = new Reading(key);
            readings.add(reading);
            return reading.stage;
        }
    }

    // The environment.

    private long clock() {
        between();
        return now;
    }

    private void later(Runnable task) {
        tasks.add(task);
        between();
    }

    private final class Turns implements Scheduler {
        @Override
        public Timer schedule(Runnable task, long delayNanos) {
            if (delayNanos > 1_000 * LIFE) { // for tasks that an executor drops; this one drops none
                return () -> true;
            }
            timers.add(task);
            return () -> timers.remove(task);
        }

        @Override
        public void sleep(long nanos) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void park(Object blocker, long nanos) {
            Loading here = Loading.current();
            Loading.leave(null);
            try {
                if (!goOn()) {
                    throw new IllegalStateException("waits for ever: " + blocker + "\n" + String.join("\n", log));
                }
            } finally {
                Loading.leave(here);
            }
        }
    }
}

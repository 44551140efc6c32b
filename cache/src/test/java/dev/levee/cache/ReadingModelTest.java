package dev.levee.cache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Environment;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import org.jspecify.annotations.Nullable;

/** Random histories of reads, with all that may be stale, absent, failed or loaded behind, against a plain model. */
class ReadingModelTest {
    private static final int LIFE = 1_000;
    private static final int MAX_RUNNING = 2;

    private enum Act {
        GET,
        LOOK,
        ENTRY,
        PUT,
        PUT_WITH_LIFE,
        INVALIDATE,
        CLEAR,
        REFRESH,
        RUN_TASKS,
        PASS_TIME,
        CHANGE_ROW,
        DELETE_ROW,
        BREAK_STORE,
        MEND_STORE,
        SLOW_STORE
    }

    private record Move(Act act, String key, int number) {}

    /** Zero for what is off. */
    private record Windows(int refresh, int whileRevalidate, int ifError, int absent, int failure) {}

    @Provide
    Arbitrary<List<Move>> histories() {
        Arbitrary<Act> acts = Arbitraries.frequencyOf(
                Tuple.of(8, Arbitraries.of(Act.GET, Act.GET, Act.PASS_TIME, Act.ENTRY)),
                Tuple.of(4, Arbitraries.of(Act.values())),
                Tuple.of(1, Arbitraries.of(Act.MEND_STORE, Act.RUN_TASKS)));
        Arbitrary<Integer> numbers = Arbitraries.frequencyOf(
                Tuple.of(4, Arbitraries.integers().between(0, 400)),
                Tuple.of(1, Arbitraries.of(1, 49, 50, 51, 99, 100, 101, 199, 200, 201, 500, LIFE - 1, LIFE)));
        return Combinators.combine(acts, Arbitraries.of("a", "b", "c"), numbers)
                .as(Move::new)
                .list()
                .ofMaxSize(250);
    }

    @Provide
    Arbitrary<Windows> windows() {
        return Combinators.combine(
                        Arbitraries.of(0, 600),
                        Arbitraries.of(0, 200),
                        Arbitraries.of(0, 500),
                        Arbitraries.of(0, 300),
                        Arbitraries.of(0, 100))
                .as(Windows::new);
    }

    @Property(tries = 2_000, edgeCases = EdgeCasesMode.NONE)
    void a_cache_answers_as_the_model_does(
            @ForAll("histories") List<Move> history, @ForAll("windows") Windows windows, @ForAll long origin) {
        Model model = new Model(windows, origin);
        Real real = new Real(windows, origin);
        List<String> done = new ArrayList<>();
        for (Move move : history) {
            String expected = model.make(move);
            String actual = real.make(move);
            done.add(move + " -> " + actual);
            assertThat(actual)
                    .as(() -> windows + "\n" + String.join("\n", done))
                    .isEqualTo(expected);
            assertThat(real.log)
                    .as(() -> windows + "\n" + String.join("\n", done))
                    .isEqualTo(model.log);
        }
        assertThat(RefreshAheadTest.metrics(real.cache)).containsEntry("cache.loading", 0.0);
    }

    /** What both have: rows, a clock, a log of loads, tasks that wait. */
    private abstract static class Side {
        final Map<String, String> rows = new HashMap<>(Map.of("a", "a0", "b", "b0"));
        final List<String> log = new ArrayList<>();
        long now;
        boolean broken;
        int slow;

        Side(long origin) {
            now = origin;
        }

        final boolean isOfStore(Move move) {
            switch (move.act) {
                case PASS_TIME -> now += move.number;
                case CHANGE_ROW -> rows.put(move.key, move.key + move.number);
                case DELETE_ROW -> rows.remove(move.key);
                case BREAK_STORE -> broken = true;
                case MEND_STORE -> {
                    broken = false;
                    slow = 0;
                }
                case SLOW_STORE -> slow = move.number / 4;
                default -> {
                    return false;
                }
            }
            return true;
        }

        final @Nullable String read(String key) throws IOException {
            log.add(key);
            now += slow;
            if (broken) {
                throw new IOException("down");
            }
            return rows.get(key);
        }
    }

    private static final class Real extends Side {
        private final Queue<Runnable> tasks = new ArrayDeque<>();
        final Cache<String, String> cache;

        Real(Windows windows, long origin) {
            super(origin);
            Environment environment =
                    Environment.builder().clock(() -> now).executor(tasks::add).build();
            cache = Cache.over(
                    "letters",
                    this::read,
                    c -> c.expireAfter(Duration.ofNanos(LIFE))
                            .expiryJitter(0)
                            .refreshAfter(Duration.ofNanos(windows.refresh))
                            .staleWhileRevalidate(Duration.ofNanos(windows.whileRevalidate))
                            .staleIfError(Duration.ofNanos(windows.ifError))
                            .retryAfter(Duration.ofNanos(50))
                            .expireAbsentAfter(Duration.ofNanos(windows.absent))
                            .expireFailuresAfter(Duration.ofNanos(windows.failure))
                            .maxRefreshes(MAX_RUNNING),
                    environment);
        }

        String make(Move move) {
            if (isOfStore(move)) {
                return "done";
            }
            try {
                switch (move.act) {
                    case GET -> {
                        return String.valueOf(cache.get(move.key));
                    }
                    case LOOK -> {
                        return String.valueOf(cache.getIfPresent(move.key));
                    }
                    case ENTRY -> {
                        CachedValue<String> entry = cache.getEntry(move.key);
                        return entry == null
                                ? "null"
                                : entry.value() + " " + (entry.failure() != null) + " " + entry.freshness() + " "
                                        + entry.age().toNanos() + " "
                                        + entry.expiresIn().toNanos();
                    }
                    case PUT -> cache.put(move.key, move.key + move.number);
                    case PUT_WITH_LIFE ->
                        cache.put(move.key, move.key + move.number, Duration.ofNanos(move.number - 20));
                    case INVALIDATE -> cache.invalidate(move.key);
                    case CLEAR -> cache.invalidateAll();
                    case REFRESH -> {
                        return String.valueOf(cache.refresh(move.key));
                    }
                    default -> {
                        while (!tasks.isEmpty()) {
                            tasks.remove().run();
                        }
                    }
                }
                return "done";
            } catch (StoreException failure) {
                return "failed";
            }
        }
    }

    private static final class Model extends Side {
        private final Windows windows;
        private final Map<String, Held> held = new HashMap<>();
        private final List<Task> waiting = new ArrayList<>();

        Model(Windows windows, long origin) {
            super(origin);
            this.windows = windows;
        }

        /** Compared by identity, as entries are. */
        private static final class Held {
            final @Nullable String value;
            final boolean failed;
            final long since;
            final long fresh;
            final long nextTry;
            final int failures;
            boolean refreshing;

            Held(@Nullable String value, boolean failed, long since, long fresh, long nextTry, int failures) {
                this.value = value;
                this.failed = failed;
                this.since = since;
                this.fresh = fresh;
                this.nextTry = nextTry;
                this.failures = failures;
            }
        }

        private record Task(String key, @Nullable Held old) {}

        String make(Move move) {
            if (isOfStore(move)) {
                return "done";
            }
            String key = move.key;
            Held there = held.get(key);
            switch (move.act) {
                case GET -> {
                    if (there != null && isServed(there)) {
                        if (there.value != null && !there.refreshing && now - there.nextTry >= 0) {
                            start(key, there);
                        }
                        return there.failed ? "failed" : String.valueOf(there.value);
                    }
                    return load(key);
                }
                case LOOK -> {
                    return there != null && isServed(there) ? String.valueOf(there.value) : "null";
                }
                case ENTRY -> {
                    return there != null && isServed(there) ? show(there) : "null";
                }
                case PUT -> held.put(key, value(key + move.number, LIFE));
                case PUT_WITH_LIFE -> {
                    if (move.number <= 20) {
                        held.remove(key);
                    } else {
                        held.put(key, value(key + move.number, move.number - 20));
                    }
                }
                case INVALIDATE -> held.remove(key);
                case CLEAR -> held.clear();
                case REFRESH -> {
                    return String.valueOf(start(key, null));
                }
                default -> {
                    List<Task> now = List.copyOf(waiting);
                    for (Task task : now) {
                        if (task.old == null || held.get(task.key) == task.old) {
                            load(task.key);
                        }
                        if (task.old != null) {
                            task.old.refreshing = false;
                        }
                        waiting.remove(0);
                    }
                }
            }
            return "done";
        }

        private Held value(String value, int life) {
            long refresh = windows.refresh == 0 ? life : Math.min(life, windows.refresh);
            return new Held(value, false, now, now + life, now + refresh, 0);
        }

        private boolean isServed(Held it) {
            return now - it.fresh < 0
                    || (it.value != null
                            && (now - it.fresh < windows.whileRevalidate
                                    || (it.failures > 0 && now - it.nextTry < 0 && now - it.fresh < windows.ifError)));
        }

        private String show(Held it) {
            String freshness = now - it.fresh < 0 ? "FRESH" : it.failures > 0 ? "STALE_AFTER_ERROR" : "STALE";
            return it.value + " " + it.failed + " " + freshness + " " + (now - it.since) + " " + (it.fresh - now);
        }

        private boolean start(String key, @Nullable Held old) {
            if (waiting.size() == MAX_RUNNING) {
                return false;
            }
            waiting.add(new Task(key, old));
            if (old != null) {
                old.refreshing = true;
            }
            return true;
        }

        private String load(String key) {
            Held there = held.get(key);
            try {
                String row = read(key);
                if (row != null) {
                    held.put(key, value(row, LIFE));
                } else if (windows.absent > 0) {
                    held.put(key, new Held(null, false, now, now + windows.absent, now + windows.absent, 0));
                } else {
                    held.remove(key);
                }
                return String.valueOf(row);
            } catch (IOException down) {
                int stale = Math.max(windows.whileRevalidate, windows.ifError);
                if (there != null && there.value != null && now - there.fresh < stale) {
                    held.put(key, tried(there, 50));
                    return there.value;
                }
                if (windows.failure > 0) {
                    int before = there != null && there.failed && now - there.since < 2 * (there.fresh - there.since)
                            ? there.failures
                            : 0;
                    long until = now + ((long) windows.failure << Math.min(before, 4));
                    held.put(key, new Held(null, true, now, until, until, before + 1));
                }
                return "failed";
            }
        }

        private Held tried(Held it, int pause) {
            return new Held(
                    it.value,
                    false,
                    it.since,
                    it.fresh,
                    now + ((long) pause << Math.min(it.failures, 4)),
                    it.failures + 1);
        }
    }
}

package dev.levee.benchmarks.caching;

import com.github.benmanes.caffeine.cache.Caffeine;
import com.google.common.cache.CacheBuilder;
import com.google.common.cache.CacheLoader;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.logging.Logger;
import org.cache2k.Cache2kBuilder;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * {@code cache.stampede}: {@value #CALLERS} callers on threads of their own miss one key at a time, whose load takes a
 * millisecond and fails. The figure is the time of all divided by their number; how many callers each load has served
 * is printed at the end of each iteration, as {@code callers served per load} in {@code compare.log}. What shares a
 * failed load needs little more than the millisecond, what repeats it for each caller {@value #CALLERS} of them.
 *
 * <pre>benchmarks/compare '^cache.stampede$'</pre>
 */
public class CacheStampede {
    static final int CALLERS = 32;

    private static final long LOAD_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    /** Held, so that this stays: Caffeine would print a trace for each load. */
    private static final Logger CAFFEINE_LOG = Logger.getLogger("com.github.benmanes.caffeine");

    static {
        CAFFEINE_LOG.setUseParentHandlers(false);
    }

    /** What a load fails by; made once, since that is not asked. */
    private static final class NotThere extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private NotThere() {
            super("not there", null, false, false);
        }
    }

    @SuppressWarnings("StaticAssignmentOfThrowable") // it has no stack trace
    private static final NotThere NOT_THERE = new NotThere();

    /** The store, and how often it was asked. */
    private static final class FailingStore {
        private final LongAdder loads = new LongAdder();

        String load() {
            loads.increment();
            LockSupport.parkNanos(LOAD_NANOS);
            throw NOT_THERE;
        }
    }

    /** The callers, and how many of them have been served. */
    @State(Scope.Thread)
    public static class Crowd {
        private final ExecutorService threads = Executors.newFixedThreadPool(CALLERS, task -> {
            Thread thread = new Thread(task, "caller");
            thread.setDaemon(true);
            return thread;
        });
        private int key = System.identityHashCode(new Object());

        int rush(Function<Integer, @Nullable String> get) throws InterruptedException {
            Integer missing = key++;
            List<Future<Boolean>> calls = new ArrayList<>(CALLERS);
            for (int i = 0; i < CALLERS; i++) {
                calls.add(threads.submit(() -> fails(get, missing)));
            }
            int failed = 0;
            for (Future<Boolean> call : calls) {
                try {
                    failed += call.get() ? 1 : 0;
                } catch (ExecutionException broken) {
                    throw new IllegalStateException(broken);
                }
            }
            if (failed != CALLERS) {
                throw new IllegalStateException(failed + " of " + CALLERS + " got the failure");
            }
            return failed;
        }

        private static boolean fails(Function<Integer, @Nullable String> get, Integer key) {
            try {
                String unexpected = get.apply(key);
                throw new IllegalStateException("loaded " + unexpected);
            } catch (RuntimeException failure) {
                return hasCause(failure);
            }
        }

        private static boolean hasCause(Throwable failure) {
            Throwable cause = failure;
            while (cause != null && cause != NOT_THERE) {
                cause = cause.getCause();
            }
            return cause != null;
        }

        @TearDown
        public void stop() {
            threads.shutdownNow();
        }
    }

    /** Counts of one iteration. */
    @State(Scope.Benchmark)
    public static class Counted {
        private final FailingStore store = new FailingStore();
        private final LongAdder served = new LongAdder();

        @Setup(Level.Iteration)
        public void reset() {
            store.loads.reset();
            served.reset();
        }

        @TearDown(Level.Iteration)
        public void print() {
            System.out.printf(
                    Locale.ROOT,
                    "callers served per load: %.1f%n",
                    served.sum() / (double) Math.max(1, store.loads.sum()));
        }

        private void rush(Crowd crowd, Function<Integer, @Nullable String> get) throws InterruptedException {
            served.add(crowd.rush(get));
        }
    }

    @State(Scope.Benchmark)
    public static class LeveeState {
        final dev.levee.cache.Cache<Integer, String> cache = dev.levee.cache.Cache.of("stampede");
    }

    @Benchmark
    @OperationsPerInvocation(CALLERS)
    public void levee(LeveeState state, Counted counted, Crowd crowd) throws InterruptedException {
        counted.rush(crowd, key -> state.cache.get(key, it -> counted.store.load()));
    }

    @State(Scope.Benchmark)
    public static class CaffeineState {
        final com.github.benmanes.caffeine.cache.Cache<Integer, String> cache =
                Caffeine.newBuilder().maximumSize(Given.MAX_SIZE).build();
    }

    @Benchmark
    @OperationsPerInvocation(CALLERS)
    public void caffeine(CaffeineState state, Counted counted, Crowd crowd) throws InterruptedException {
        counted.rush(crowd, key -> state.cache.get(key, it -> counted.store.load()));
    }

    @State(Scope.Benchmark)
    public static class CaffeineAsyncState {
        final com.github.benmanes.caffeine.cache.AsyncCache<Integer, String> cache = Caffeine.newBuilder()
                .maximumSize(Given.MAX_SIZE)
                .executor(Runnable::run)
                .buildAsync();
    }

    /** Its futures are shared, also those that fail. */
    @Benchmark
    @OperationsPerInvocation(CALLERS)
    public void caffeineAsync(CaffeineAsyncState state, Counted counted, Crowd crowd) throws InterruptedException {
        counted.rush(
                crowd, key -> state.cache.get(key, it -> counted.store.load()).join());
    }

    @State(Scope.Benchmark)
    public static class Cache2kState {
        final org.cache2k.Cache<Integer, String> cache = Cache2kBuilder.of(Integer.class, String.class)
                .entryCapacity(Given.MAX_SIZE)
                .build();

        @TearDown
        public void close() {
            cache.close();
        }
    }

    @Benchmark
    @OperationsPerInvocation(CALLERS)
    public void cache2k(Cache2kState state, Counted counted, Crowd crowd) throws InterruptedException {
        counted.rush(crowd, key -> state.cache.computeIfAbsent(key, it -> counted.store.load()));
    }

    @State(Scope.Benchmark)
    public static class GuavaState {
        @Nullable Counted counted;

        final com.google.common.cache.LoadingCache<Integer, String> cache = CacheBuilder.newBuilder()
                .maximumSize(Given.MAX_SIZE)
                .build(new CacheLoader<>() {
                    @Override
                    public String load(Integer key) {
                        return java.util.Objects.requireNonNull(counted).store.load();
                    }
                });
    }

    @Benchmark
    @OperationsPerInvocation(CALLERS)
    public void guava(GuavaState state, Counted counted, Crowd crowd) throws InterruptedException {
        state.counted = counted;
        counted.rush(crowd, state.cache::getUnchecked);
    }
}

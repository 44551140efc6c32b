package dev.levee.cache;

import dev.levee.core.Outcomes;
import dev.levee.core.internal.OneAtATime;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Loads many keys, a few at a time.
 *
 * <p><b>Invariants.</b> At most so many portions are under way, and no thread waits for one. The stage ends when all
 * have ended, or when the cache is closed or the stage cancelled and those under way have ended. Portions that end at
 * once do not deepen the stack.
 */
final class CacheWarmUp<K, V> {
    /** How many keys are one portion where the loader takes many. */
    static final int MAX_KEYS = 100;

    private final Function<Set<K>, CompletableFuture<Map<K, V>>> load;
    private final Predicate<K> isPresent;
    private final BooleanSupplier closed;
    private final int maxConcurrent;
    private final CompletableFuture<WarmUpReport> report = new CompletableFuture<>();
    private final OneAtATime turn = new OneAtATime(this::go);

    /** Guards what follows. */
    private final Object counting = new Object();

    private final Queue<List<K>> portions = new ArrayDeque<>();
    private int underWay;
    private int present;
    private int loaded;
    private int absent;
    private int failed;
    private @Nullable Throwable failure;

    CacheWarmUp(
            Set<K> keys,
            int keysAtOnce,
            int maxConcurrent,
            Function<Set<K>, CompletableFuture<Map<K, V>>> load,
            Predicate<K> isPresent,
            BooleanSupplier closed) {
        this.load = load;
        this.isPresent = isPresent;
        this.closed = closed;
        this.maxConcurrent = maxConcurrent;
        List<K> portion = new ArrayList<>();
        for (K key : keys) {
            portion.add(key);
            if (portion.size() == keysAtOnce) {
                portions.add(portion);
                portion = new ArrayList<>();
            }
        }
        if (!portion.isEmpty()) {
            portions.add(portion);
        }
    }

    CompletableFuture<WarmUpReport> start() {
        turn.run();
        return report;
    }

    private void go() {
        while (!closed.getAsBoolean() && !report.isDone()) {
            List<K> portion;
            synchronized (counting) {
                if (underWay == maxConcurrent || portions.isEmpty()) {
                    break;
                }
                portion = portions.remove();
                underWay++;
            }
            begin(portion);
        }
        WarmUpReport end = endOrNull();
        if (end != null) {
            report.complete(end);
        }
    }

    private @Nullable WarmUpReport endOrNull() {
        boolean stopped = closed.getAsBoolean();
        synchronized (counting) {
            if (underWay > 0 || !(stopped || portions.isEmpty())) {
                return null;
            }
            int skipped = 0;
            for (List<K> portion : portions) {
                skipped += portion.size();
            }
            return new WarmUpReport(present, loaded, absent, failed, skipped, failure);
        }
    }

    private void begin(List<K> portion) {
        Set<K> missing = new java.util.LinkedHashSet<>(portion);
        CompletableFuture<Map<K, V>> loading;
        try {
            missing.removeIf(isPresent);
            loading = missing.isEmpty() ? CompletableFuture.completedFuture(Map.of()) : load.apply(missing);
        } catch (Throwable thrown) { // the cache is closed, or a key is broken
            loading = CompletableFuture.failedFuture(thrown);
        }
        loading.whenComplete((values, thrown) -> {
            count(portion.size(), missing.size(), values, thrown == null ? null : Outcomes.unwrap(thrown));
            turn.run();
        });
    }

    private void count(int all, int asked, @Nullable Map<K, V> values, @Nullable Throwable thrown) {
        synchronized (counting) {
            underWay--;
            present += all - asked;
            int got = values == null ? 0 : values.size();
            int lost = thrown == null ? 0 : asked;
            if (thrown instanceof PartialLoadException partial) {
                got = partial.values().size();
                lost = partial.failures().size();
            }
            loaded += got;
            failed += lost;
            absent += asked - got - lost;
            failure = failure == null ? thrown : failure;
        }
    }
}

package dev.levee.cache;

import dev.levee.cache.CachedValue.Origin;
import dev.levee.cache.PendingLoad.LoadResult;
import dev.levee.core.CallContext;
import dev.levee.core.Criticality;
import dev.levee.core.Environment;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Loads of the keys of one call by a loader that blocks: a few tasks of the executor, each of which loads one key after
 * the other.
 *
 * <pre>{@code
 * keys without an answer --> queue --> lane: given up? next. In flight elsewhere? wait without a thread, next.
 *                              ^             otherwise put in flight, and load here
 *                              '---- look again ----'
 * }</pre>
 *
 * <p><b>Invariants.</b> A key is put in flight when its load begins and not before: another caller never waits for a
 * place in this queue. While there are keys in the queue a lane runs, or all of them have failed with what the executor
 * threw. A lane whose load has been given up by its time limit is replaced, since its thread may never come back. See
 * ADR 164.
 */
final class LoadLanes<K, V> {
    /** How many loads of one call run at a time. */
    static final int MAX_LANES = 16;

    private final String name;
    private final Environment environment;
    private final LoadSite<K, V> site;
    private final AsyncLoads<K, V> loads;
    private final Loader<? super K, ? extends V> from;
    private final Criticality criticality = CallContext.current().criticality();
    private final int cohort = CallContext.current().cohort();
    private final CallContext carrying;
    private final ConcurrentLinkedQueue<AsyncWait<K, V>> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicInteger lanes = new AtomicInteger();

    LoadLanes(
            String name,
            Environment environment,
            LoadSite<K, V> site,
            AsyncLoads<K, V> loads,
            Loader<? super K, ? extends V> from) {
        this.name = name;
        this.environment = environment;
        this.site = site;
        this.loads = loads;
        this.from = from;
        this.carrying = environment.capture();
    }

    /** Makes the wait for a key that has no answer, and takes it into the queue. */
    AsyncWait<K, V> add(K key) {
        AsyncWait<K, V> wait = new AsyncWait<>(name, key, environment, site, this::again);
        wait.begin();
        waiting.add(wait);
        return wait;
    }

    private void again(AsyncWait<K, V> wait) {
        LoadResult<V> found = site.find(wait.key(), from);
        if (found != null) {
            wait.complete(found);
        } else {
            waiting.add(wait);
            begin(1);
        }
    }

    /** Begins lanes for so many keys of the queue; returns at once. */
    void begin(int keys) {
        for (int i = 0; i < keys && !waiting.isEmpty() && enter(); i++) {
            handOver();
        }
    }

    private boolean enter() {
        int running = lanes.get();
        while (running < MAX_LANES) {
            if (lanes.compareAndSet(running, running + 1)) {
                return true;
            }
            running = lanes.get();
        }
        return false;
    }

    private void leave() {
        lanes.decrementAndGet();
        begin(1); // of what came after the last look into the queue
    }

    /** Hands over a lane that has been entered. */
    private void handOver() {
        Lane lane = new Lane();
        AsyncLoads.handOver(
                environment,
                name,
                () -> CallContext.current()
                        .withCriticality(criticality)
                        .withCohort(cohort)
                        .run(lane::run),
                carrying,
                this::withoutLane);
    }

    private void withoutLane(Throwable rejected) {
        if (lanes.decrementAndGet() == 0) {
            for (AsyncWait<K, V> wait = waiting.poll(); wait != null; wait = waiting.poll()) {
                wait.complete(LoadResult.failure(rejected, false));
            }
        }
    }

    /** One task. */
    private final class Lane {
        private final Thread[] thread = new Thread[1];

        /** The load that runs here; null if there is none, or another lane has taken the place of this one. */
        private final AtomicReference<@Nullable PendingLoad<V>> running = new AtomicReference<>();

        void run() {
            thread[0] = Thread.currentThread();
            boolean wasInterrupted = thread[0].isInterrupted();
            for (AsyncWait<K, V> wait = waiting.poll(); wait != null; wait = waiting.poll()) {
                if (!load(wait)) {
                    return;
                }
                if (!wasInterrupted && thread[0].isInterrupted()) {
                    handOver(); // what becomes of the interrupt is up to the executor; it is not of the next load
                    return;
                }
            }
            leave();
        }

        /** Loads one key; returns whether this lane goes on. */
        private boolean load(AsyncWait<K, V> wait) {
            if (wait.future.isDone()) {
                return true;
            }
            K key = wait.key();
            PendingLoad<V> mine = new PendingLoad<>(new Loading(name, key));
            boolean own = false;
            try {
                long epoch = site.epoch();
                PendingLoad<V> load = site.start(key, mine);
                own = load == mine;
                wait.waitFor(load, own, epoch);
                return !own || mine.hasEnded() || !loads.limited(key, mine) || run(key, mine);
            } catch (Throwable broken) { // a clock, or a key's equals, of the user
                if (own) {
                    site.settle(key, mine, null, broken, false, 0, Origin.LOADED);
                } else {
                    wait.complete(LoadResult.failure(broken, false));
                }
                return true;
            }
        }

        private boolean run(K key, PendingLoad<V> mine) {
            if (!site.isLimited()) {
                loads.run(key, mine, from, Origin.LOADED);
                return true;
            }
            running.set(mine);
            mine.whenEnded(() -> endedElsewhere(mine));
            loads.run(key, mine, from, Origin.LOADED);
            return running.compareAndSet(mine, null);
        }

        private void endedElsewhere(PendingLoad<V> mine) {
            if (Thread.currentThread() != thread[0] && running.compareAndSet(mine, null)) {
                if (waiting.isEmpty()) {
                    leave();
                } else {
                    handOver();
                }
            }
        }
    }

    @Override
    public String toString() {
        return "loads of many keys, " + waiting.size() + " waiting";
    }
}

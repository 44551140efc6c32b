package dev.levee.cache;

import dev.levee.cache.CachedValue.Origin;
import dev.levee.cache.PendingLoad.LoadResult;
import dev.levee.core.CallContext;
import dev.levee.core.Criticality;
import dev.levee.core.Environment;
import dev.levee.core.Outcomes;
import dev.levee.core.internal.parts.HandOver;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Loads that belong to no caller: those of asynchronous callers, of {@link AsyncLoader}s, and gathered ones.
 *
 * <pre>{@code
 * getAsync   an answer? no: in flight?  no:  put in flight, hand over to the executor, or gather
 *                                       yes: wait for it, whether it is one of these or on the thread of a caller
 * }</pre>
 *
 * <p>They run on threads of the environment's executor, in the criticality and cohort of the caller that began them and
 * without its deadline: that a caller gives up ends nothing for the others.
 *
 * <p><b>Invariants.</b> What was put in flight is ended on every path: where the executor takes no task, with what it
 * threw. No thread waits for a load. See ADR 104.
 */
final class AsyncLoads<K, V> {
    private static final Logger LOG = LoggerFactory.getLogger(AsyncLoads.class);

    private final String name;
    private final Environment environment;
    private final LoadSite<K, V> site;
    private final BulkLoads<K, V> bulk;

    /** The loader whose single loads are gathered, and where; null if they are not. */
    private final @Nullable GatheredLoads<K, V> gathered;

    AsyncLoads(
            String name,
            Environment environment,
            LoadSite<K, V> site,
            BulkLoads<K, V> bulk,
            @Nullable GatheredLoads<K, V> gathered) {
        this.name = name;
        this.environment = environment;
        this.site = site;
        this.bulk = bulk;
        this.gathered = gathered;
    }

    /** Whether a blocking load by this loader is none of its caller's thread. */
    boolean takes(Loader<?, ?> from) {
        return from instanceof AsyncLoader || (gathers(from) && Loading.current() == null);
    }

    private boolean gathers(Loader<?, ?> from) {
        return gathered != null && gathered.isOf(from);
    }

    void flush() {
        if (gathered != null) {
            gathered.flush();
        }
    }

    CompletableFuture<@Nullable V> get(K key, Loader<? super K, ? extends V> from) {
        LoadResult<V> found = site.find(key, from);
        AsyncWait<K, V> wait = waitOf(key, from);
        if (found != null) {
            wait.complete(found);
            return wait.future;
        }
        wait.begin();
        join(wait, from);
        return wait.future;
    }

    private AsyncWait<K, V> waitOf(K key, Loader<? super K, ? extends V> from) {
        return new AsyncWait<>(name, key, environment, site, wait -> rejoin(wait, from));
    }

    private void rejoin(AsyncWait<K, V> wait, Loader<? super K, ? extends V> from) {
        LoadResult<V> found = site.find(wait.key(), from);
        if (found != null) {
            wait.complete(found);
        } else {
            join(wait, from);
        }
    }

    private void join(AsyncWait<K, V> wait, Loader<? super K, ? extends V> from) {
        if (wait.future.isDone()) {
            return;
        }
        long epoch = site.epoch();
        K key = wait.key();
        PendingLoad<V> mine = new PendingLoad<>(new Loading(name, key));
        PendingLoad<V> load = site.start(key, mine);
        boolean own = load == mine;
        wait.waitFor(load, own, epoch);
        if (own && !mine.hasEnded()) {
            launch(key, mine, from, wait.isWithinALoad());
        }
    }

    /** Runs a load that is in flight; returns at once. */
    void launch(K key, PendingLoad<V> load, Loader<? super K, ? extends V> from, boolean withinALoad) {
        if (!limited(key, load)) {
            return;
        }
        if (gathered != null && gathered.isOf(from) && !withinALoad) {
            gathered.add(key, load);
            return;
        }
        handOver(
                environment,
                name,
                () -> run(key, load, from, Origin.LOADED),
                rejected -> site.settle(key, load, null, rejected, false, 0, Origin.LOADED));
    }

    /** Lets loads end that take too long; false if that cannot be, and then the load has failed. */
    boolean limited(K key, PendingLoad<V> load) {
        try {
            site.limit(key, load);
            return true;
        } catch (Throwable rejected) { // the environment was closed
            site.settle(key, load, null, rejected, false, 0, Origin.LOADED);
            return false;
        }
    }

    /**
     * Runs a task on the executor, in the criticality and cohort of this call.
     *
     * @param otherwise receives what the loads fail with that it was to run, if the executor does not take it or drops
     *     it
     */
    static void handOver(Environment environment, String cache, Runnable task, Consumer<? super Throwable> otherwise) {
        handOver(environment, cache, task, environment.capture(), otherwise);
    }

    /** Does so with what carriers have captured for the call that was the first to need it. */
    static void handOver(
            Environment environment,
            String cache,
            Runnable task,
            CallContext carrying,
            Consumer<? super Throwable> otherwise) {
        CallContext caller = CallContext.current();
        Criticality criticality = caller.criticality();
        int cohort = caller.cohort();
        Runnable detached = () -> CleanContext.run(() -> CallContext.current()
                .withCriticality(criticality)
                .withCohort(cohort)
                .run(task::run));
        String subject = "cache \"" + cache + '"';
        String problem = subject + ": the executor takes no loads";
        Throwable thrown = HandOver.tryExecute(
                environment,
                carrying.carry(detached),
                lost -> environment.handOver(() -> otherwise.accept(new RejectedExecutionException(problem, lost))),
                LOG,
                subject);
        if (thrown != null) {
            otherwise.accept(new RejectedExecutionException(problem, thrown));
        }
    }

    /** Runs one load on a thread of the executor. */
    void run(K key, PendingLoad<V> load, Loader<? super K, ? extends V> from, Origin origin) {
        Throwable failure = null;
        long start = 0;
        CompletionStage<? extends @Nullable V> stage = null;
        V value = null;
        try {
            start = environment.clock().nanoTime();
            Loading before = load.work.enter();
            try {
                if (from instanceof AsyncLoader<? super K, ? extends V> async) {
                    stage = async.loadAsync(key, partOf(load.work));
                    if (stage == null) {
                        throw new NullPointerException("the loader of cache \"" + name + "\" returned a null stage");
                    }
                } else {
                    value = from.load(key);
                }
            } finally {
                Loading.leave(before);
            }
        } catch (Throwable thrown) {
            failure = thrown;
        }
        if (stage == null) {
            end(key, load, value, failure, start, origin);
        } else {
            follow(key, load, stage, start, origin);
        }
    }

    private void follow(
            K key, PendingLoad<V> load, CompletionStage<? extends @Nullable V> stage, long start, Origin origin) {
        try {
            CallContext carrying = environment.carriesContext() ? environment.capture() : null;
            stage.whenComplete((value, failure) -> {
                Throwable why = failure == null ? null : Outcomes.unwrap(failure);
                if (carrying == null) {
                    end(key, load, value, why, start, origin);
                } else { // listeners and weighers
                    carrying.carry(() -> end(key, load, value, why, start, origin))
                            .run();
                }
            });
        } catch (Throwable broken) { // a stage that is none
            end(key, load, null, broken, start, origin);
        }
    }

    private void end(
            K key, PendingLoad<V> load, @Nullable V value, @Nullable Throwable failure, long start, Origin origin) {
        Throwable why = failure;
        try {
            site.count(environment.clock().nanoTime() - start, why != null);
        } catch (Throwable broken) { // the clock is the user's
            why = why == null ? broken : why;
        } finally {
            site.settle(key, load, value, why, false, start, origin);
        }
    }

    /** An executor for what belongs to a load. */
    private Executor partOf(Loading work) {
        CallContext context = environment.capture();
        return task -> environment.executor().execute(() -> {
            Loading before = work.enter();
            try {
                context.run(task::run);
            } finally {
                Loading.leave(before);
            }
        });
    }

    /** Loads many keys; those that are in flight are waited for, as {@link #get} does. */
    CompletableFuture<Map<K, V>> getAll(Set<K> keys, Loader<? super K, ? extends V> from) {
        BulkAnswer<K, V> answer = new BulkAnswer<>(name, site, keys);
        List<AsyncWait<K, V>> waits = new ArrayList<>();
        if (from instanceof BulkLoader<? super K, ? extends V> many) {
            beginTogether(keys, many, answer, waits);
        } else if (from instanceof AsyncLoader) {
            findAll(keys, from, answer, key -> {
                AsyncWait<K, V> wait = waitOf(key, from);
                wait.begin();
                waits.add(wait);
                join(wait, from);
            });
        } else {
            LoadLanes<K, V> lanes = new LoadLanes<>(name, environment, site, this, from);
            findAll(keys, from, answer, key -> waits.add(lanes.add(key)));
            CompletableFuture<Map<K, V>> all = all(waits, answer);
            lanes.begin(waits.size());
            return all;
        }
        return all(waits, answer);
    }

    private void findAll(
            Set<K> keys, Loader<? super K, ? extends V> from, BulkAnswer<K, V> answer, Consumer<K> missing) {
        for (K key : keys) {
            LoadResult<V> found = site.find(key, from);
            if (found != null) {
                answer.add(key, found);
            } else {
                missing.accept(key);
            }
        }
    }

    private void beginTogether(
            Set<K> keys,
            BulkLoader<? super K, ? extends V> from,
            BulkAnswer<K, V> answer,
            List<AsyncWait<K, V>> waits) {
        long epoch = site.epoch();
        Loading work = new Loading(name, keys);
        BulkLoads.Claims<K, V> claims = bulk.claim(keys, work, answer, from);
        boolean done = false;
        try {
            claims.own().forEach((key, load) -> waits.add(waitFor(key, load, true, epoch, from)));
            claims.joined().forEach((key, load) -> waits.add(waitFor(key, load, false, epoch, from)));
            done = true;
        } finally {
            if (!done) {
                bulk.fail(claims.own(), new IllegalStateException("the call ended before it loaded"));
            }
        }
        if (!claims.own().isEmpty()) {
            launchAll(claims.own(), work, from);
        }
    }

    private AsyncWait<K, V> waitFor(
            K key, PendingLoad<V> load, boolean own, long epoch, Loader<? super K, ? extends V> from) {
        AsyncWait<K, V> wait = waitOf(key, from);
        wait.begin();
        wait.waitFor(load, own, epoch);
        return wait;
    }

    /** Runs loads that are in flight by one call; returns at once. */
    void launchAll(Map<K, PendingLoad<V>> own, Loading work, BulkLoader<? super K, ? extends V> from) {
        BulkAnswer<K, V> unread = new BulkAnswer<>(name, site, own.keySet());
        own.forEach(this::limited);
        handOver(
                environment,
                name,
                () -> bulk.load(own, work, from, unread, true),
                rejected ->
                        own.forEach((key, load) -> site.settle(key, load, null, rejected, false, 0, Origin.LOADED)));
    }

    /** Returns what ends when all have ended; a cancel of it ends their waits. */
    private CompletableFuture<Map<K, V>> all(List<AsyncWait<K, V>> waits, BulkAnswer<K, V> answer) {
        CompletableFuture<Map<K, V>> all = new CompletableFuture<>();
        AtomicInteger open = new AtomicInteger(waits.size() + 1);
        Runnable oneLess = () -> {
            if (open.decrementAndGet() == 0) {
                complete(all, answer);
            }
        };
        for (AsyncWait<K, V> wait : waits) {
            wait.future.whenComplete((value, failure) -> {
                if (failure == null) {
                    answer.add(wait.key(), LoadResult.value(value));
                } else {
                    Throwable why = Outcomes.unwrap(failure);
                    answer.addThrown(wait.key(), why instanceof RuntimeException seen ? seen : site.seenByWaiter(why));
                }
                oneLess.run();
            });
        }
        all.whenComplete((values, failure) -> {
            for (AsyncWait<K, V> wait : waits) {
                wait.future.cancel(false);
            }
        });
        oneLess.run();
        return all;
    }

    private static <K, V> void complete(CompletableFuture<Map<K, V>> all, BulkAnswer<K, V> answer) {
        try {
            all.complete(answer.valuesOrThrow());
        } catch (Throwable failed) {
            all.completeExceptionally(failed);
        }
    }
}

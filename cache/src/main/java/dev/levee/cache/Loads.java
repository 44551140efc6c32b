package dev.levee.cache;

import dev.levee.cache.CachedValue.Origin;
import dev.levee.cache.PendingLoad.LoadResult;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.parts.CallerFailures;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a {@code get} does that is not a plain hit: decides what an entry that is not quiet is still good for, and runs
 * loads.
 *
 * <pre>{@code
 * get    entry served, refresh wanted?    offer it to Refreshes; return the value
 *        otherwise: InFlight.startLoad: a load of this key in flight?
 *           no:  load on this thread, without a lock (on the executor, if there is a time limit)
 *           yes: wait for its result; look again if it failed for a reason of its caller
 *
 * a load ends with   a value       its entry is put
 *                    null          an entry that says so is put, or the old one removed: the row is gone
 *                    a failure     an old value is left that may be served?  it is, and the next try has to wait
 *                                  otherwise the failure is put, if it is cached, and thrown
 * }</pre>
 *
 * <p><b>Invariants.</b> A load that is started is ended on every path, so no waiter is left behind. Loaders are never
 * called under a lock. An old value is served in place of a failure only if it is there when the load has begun: what
 * was invalidated before that is not. See ADR 21 and ADR 101.
 */
final class Loads<K, V> {
    private static final Logger LOG = LoggerFactory.getLogger(Cache.class);

    private final String name;
    private final Environment environment;
    private final NanoClock clock;
    private final @Nullable CacheTotals totals;
    private final Entries<K, V> entries;
    private final Lives<K, V> lives;
    private final InFlight<K, V> inFlight;
    private final Refreshes<K, V> refreshes;
    private final long softNanos;
    private final long hardNanos;

    /** The calls that are not {@code get}. */
    final LoadForms<K, V> forms;

    /** The loads of no caller. */
    private final AsyncLoads<K, V> async;

    /** Whether the last load has failed without a caller that would know, and that is in the log. */
    private volatile boolean failing;

    Loads(
            String name,
            CacheConfig<K, V> config,
            Environment environment,
            Entries<K, V> entries,
            InFlight<K, V> inFlight,
            @Nullable CacheTotals totals,
            @Nullable Loader<K, V> own) {
        this.name = name;
        this.environment = environment;
        this.clock = environment.clock();
        this.totals = totals;
        this.entries = entries;
        this.lives = entries.lives();
        this.inFlight = inFlight;
        this.softNanos = Nanos.of(config.softLoadTimeout());
        this.hardNanos = Nanos.of(config.loadTimeout());
        this.refreshes = new Refreshes<>(name, config.maxRefreshes(), environment, this, totals);
        this.forms = new LoadForms<>(name, config, environment, entries, inFlight, this, totals, own);
        this.async = forms.async;
    }

    /**
     * Returns the value for a caller that did not find one that is quiet.
     *
     * @param found what it found
     * @param from loads the value; null if nothing does, then a value that is not there is an error of the caller
     */
    @Nullable V get(K key, @Nullable CacheEntry<V> found, @Nullable Loader<? super K, ? extends V> from) {
        if (found != null && serves(key, found, from)) {
            return answer(found);
        }
        entries.requireOpen();
        return miss(key, required(from));
    }

    <T extends Loader<? super K, ? extends V>> T required(@Nullable T from) {
        if (from == null) {
            throw new IllegalStateException("cache \"" + name + "\" has no store to load from: use get(key, loader)");
        }
        return from;
    }

    /** Whether an entry answers a caller; then counts it, and has it loaded again in the background if that is due. */
    boolean serves(K key, CacheEntry<V> found, @Nullable Loader<? super K, ? extends V> from) {
        long now = clock.nanoTime();
        if (!lives.isServed(found, now)) {
            return false;
        }
        if (from != null && lives.wantsRefresh(found, now)) {
            refreshes.offer(key, found, from);
        }
        count(found, now);
        return true;
    }

    /** Whether an entry answers a call, without counting as one. */
    boolean isServed(@Nullable CacheEntry<V> found) {
        return found != null && lives.isServed(found, clock.nanoTime());
    }

    int refreshing() {
        return refreshes.running();
    }

    /** Returns what is served without a load. */
    @Nullable V getIfPresent(@Nullable CacheEntry<V> found) {
        if (found != null) {
            long now = clock.nanoTime();
            if (lives.isServed(found, now)) {
                count(found, now);
                return found.value;
            }
        }
        entries.requireOpen();
        if (totals != null) {
            totals.misses.increment();
        }
        return null;
    }

    void count(CacheEntry<V> served, long now) {
        if (totals != null) {
            totals.countHit(served);
            if (served.hasValue() && !served.timeless && now - served.freshUntil >= 0) {
                totals.stale.increment();
            }
        }
    }

    private @Nullable V answer(CacheEntry<V> served) {
        if (served.failure != null) {
            throw LoadFailures.asSeenByWaiter(name, served.failure);
        }
        return served.value;
    }

    private @Nullable V miss(K key, Loader<? super K, ? extends V> from) {
        if (totals != null) {
            totals.misses.increment();
        }
        while (true) {
            long joinedAt = entries.marks().epoch();
            PendingLoad<V> mine = new PendingLoad<>(new Loading(name, key));
            PendingLoad<V> load = inFlight.startLoad(key, mine);
            CacheEntry<V> old = softNanos < Nanos.NEVER ? old(key, load, mine) : null;
            if (load != mine) {
                if (totals != null) {
                    totals.sharedLoads.increment();
                }
            } else if (async.takes(from)) {
                async.launch(key, mine, from, Loading.current() != null);
            } else if (old == null && hardNanos >= Nanos.NEVER) {
                LoadResult<V> result = runHere(key, mine, from);
                if (result.failure() != null) {
                    throw LoadFailures.asSeenByCaller(name, "load", result.failure(), false);
                }
                return result.value();
            } else {
                handOver(key, mine, from);
            }
            Deadline patience = old == null ? null : Deadline.afterNanos(softNanos, clock);
            LoadResult<V> result = load.await(name, key, environment.scheduler(), patience);
            CacheEntry<V> still = result == null ? old(key, load, mine) : null;
            if (still != null) {
                return insteadOfWaiting(key, still);
            }
            if (result == null) { // what was old was invalidated meanwhile
                result = load.await(name, key, environment.scheduler());
            }
            if (!load.mustReload(result, joinedAt)) {
                if (result.failure() != null) {
                    throw LoadFailures.asSeenByWaiter(name, result.failure());
                }
                return result.value();
            }
            CacheEntry<V> entry = entries.get(key);
            if (entry != null && lives.isServed(entry, clock.nanoTime())) {
                return answer(entry);
            }
        }
    }

    /** Runs a load on the thread of its caller, which may be running another one. */
    private LoadResult<V> runHere(K key, PendingLoad<V> mine, Loader<? super K, ? extends V> from) {
        Loading outer = null;
        LoadResult<V> result = null;
        try {
            outer = Loading.current();
            if (outer != null) {
                outer.needsInside(mine.work);
            }
            result = run(key, mine, from, null, Origin.LOADED);
            return result;
        } finally {
            if (result == null) { // the stack has ended: there is more room here than further in
                end(key, mine, null);
            }
            if (outer != null) {
                outer.needsNoMore(mine.work);
            }
        }
    }

    /** Returns the entry that answers a caller that has waited long enough. */
    private @Nullable CacheEntry<V> old(K key, PendingLoad<V> load, PendingLoad<V> mine) {
        try {
            CacheEntry<V> there = entries.peek(key, entries.current());
            return there != null && lives.mayReplaceFailure(there, clock.nanoTime()) ? there : null;
        } catch (Throwable broken) { // a clock, or a key's equals, of the user
            if (load == mine) {
                end(key, mine, LoadResult.failure(broken, true));
            }
            throw broken;
        }
    }

    @Nullable V insteadOfWaiting(K key, CacheEntry<V> old) {
        long now = clock.nanoTime();
        if (!lives.isServed(old, now)) { // or another one has come meanwhile
            putOff(key, old);
        }
        if (totals != null && !lives.isFresh(old, now)) {
            totals.stale.increment();
        }
        return old.value;
    }

    /** Lets the executor run a load that is in flight. Throws nothing: the load ends with what goes wrong. */
    private void handOver(K key, PendingLoad<V> mine, Loader<? super K, ? extends V> from) {
        mine.handedOver = true;
        try {
            Scheduler.Timer timer = limit(key, mine, Origin.LOADED);
            environment.handOver(
                    environment.carry(() -> CleanContext.run(() -> run(key, mine, from, timer, Origin.LOADED))));
        } catch (Throwable rejected) {
            end(key, mine, LoadResult.failure(rejected, false));
        }
    }

    boolean isLimited() {
        return hardNanos < Nanos.NEVER;
    }

    /** Lets a load end that takes too long, if there is a limit. */
    void limit(K key, PendingLoad<V> load) {
        Scheduler.Timer timer = limit(key, load, Origin.LOADED);
        if (timer != null) {
            load.whenEnded(timer::cancel);
        }
    }

    /** Sets the timer that ends a load which takes too long, if there is a limit. */
    private Scheduler.@Nullable Timer limit(K key, PendingLoad<V> load, Origin origin) {
        if (hardNanos >= Nanos.NEVER) {
            return null;
        }
        Runnable giveUp = environment.carry(() -> CleanContext.run(() -> giveUp(key, load, origin)));
        return environment.schedule(() -> environment.handOver(giveUp), hardNanos);
    }

    private void giveUp(K key, PendingLoad<V> load, Origin origin) {
        if (load.hasEnded()) {
            return;
        }
        LoadResult<V> result = null;
        try {
            TimeoutException late = new TimeoutException("not loaded within " + Nanos.text(hardNanos));
            result = failed(key, load, entries.peek(key, load.generation()), late, false, origin);
        } catch (Throwable broken) {
            result = LoadResult.failure(broken, false);
        } finally {
            end(key, load, result);
        }
    }

    /**
     * Loads a value again; called by the executor, in a context of its own.
     *
     * @return the load if it may go on after the return; null if it has ended, or none was needed
     */
    @Nullable PendingLoad<V> refresh(K key, @Nullable CacheEntry<V> old, Loader<? super K, ? extends V> from) {
        PendingLoad<V> mine = new PendingLoad<>(new Loading(name, key));
        if (entries.isClosed() || inFlight.startLoad(key, mine) != mine) {
            return null; // that load brings a value that is new enough
        }
        if (old != null && entries.peek(key, mine.generation()) != old) {
            end(key, mine, LoadResult.found(null)); // invalidated, or replaced
            return null;
        }
        if (totals != null) {
            totals.refreshes.increment();
        }
        Scheduler.Timer timer;
        try {
            timer = limit(key, mine, Origin.REFRESHED);
        } catch (Throwable rejected) {
            end(key, mine, LoadResult.failure(rejected, true));
            throw rejected;
        }
        if (from instanceof AsyncLoader) {
            if (timer != null) {
                mine.whenEnded(timer::cancel);
            }
            async.run(key, mine, from, Origin.REFRESHED);
            return mine;
        }
        run(key, mine, from, timer, Origin.REFRESHED);
        return null;
    }

    /** Puts off the next try of an entry whose refresh could not begin. */
    void putOff(K key, CacheEntry<V> old) {
        entries.replace(key, old, lives.afterFailure(old, clock.nanoTime()));
    }

    /** Begins to load a value again in the background, whatever there is; false if as many loads run as may. */
    boolean startRefresh(K key, Loader<? super K, ? extends V> from) {
        return refreshes.begin(key, null, from);
    }

    /**
     * Runs a load that is in flight, on this thread, and ends it on every path. What it throws is in the result.
     *
     * @param timer its time limit, which ends with it; null if it has none
     * @param origin {@code LOADED} for a caller that found nothing; a value that has come meanwhile will do then
     */
    private LoadResult<V> run(
            K key,
            PendingLoad<V> mine,
            Loader<? super K, ? extends V> from,
            Scheduler.@Nullable Timer timer,
            Origin origin) {
        LoadResult<V> result = null;
        try {
            CacheEntry<V> there = entries.peek(key, mine.generation());
            if (there != null && origin == Origin.LOADED && makesNeedless(there, mine)) {
                // An earlier load may have ended between the miss and the start of this one.
                result =
                        there.failure == null ? LoadResult.found(there.value) : LoadResult.failure(there.failure, true);
            } else {
                result = load(key, mine, from, there, origin);
            }
        } catch (Throwable broken) { // a clock, a key's equals or a function of lives
            result = LoadResult.failure(broken, !mine.handedOver && CallerFailures.isOfCaller(broken));
        } finally {
            try {
                if (timer != null) {
                    timer.cancel();
                }
            } finally {
                end(key, mine, result);
            }
        }
        return result;
    }

    /** Whether an entry that has come meanwhile will do; not the old one that a caller which gave up has put off. */
    private boolean makesNeedless(CacheEntry<V> there, PendingLoad<V> mine) {
        long now = clock.nanoTime();
        return mine.handedOver ? lives.isFresh(there, now) : lives.isServed(there, now);
    }

    /** Ends a load, which puts nothing if it has not put anything yet: no waiter may be left behind. */
    void end(K key, PendingLoad<V> mine, @Nullable LoadResult<V> result) {
        try {
            inFlight.endLoad(key, mine, null);
        } finally {
            mine.end(result == null ? LoadResult.failure(new AssertionError("no result"), true) : result);
        }
    }

    private LoadResult<V> load(
            K key,
            PendingLoad<V> mine,
            Loader<? super K, ? extends V> from,
            @Nullable CacheEntry<V> there,
            Origin origin) {
        long start = clock.nanoTime();
        try {
            return loaded(key, mine, call(key, mine, from, start), start, origin);
        } catch (Throwable failure) {
            boolean isOfCaller = CallerFailures.isOfCaller(failure);
            LoadResult<V> result = failed(key, mine, there, failure, isOfCaller, origin);
            // One that was handed over is no caller's: the one that waits for it would load on such a thread again.
            return isOfCaller && result.failure() != null ? LoadResult.failure(failure, !mine.handedOver) : result;
        }
    }

    /** What follows from a load that has brought a value, or its absence; throws what functions of settings do. */
    LoadResult<V> loaded(K key, PendingLoad<V> mine, @Nullable V value, long start, Origin origin) {
        EntryMarks.Marks marks = entries.marks().of(key, value, mine.epoch());
        CacheEntry<V> entry = entries.stampLoaded(key, value, start, origin, marks);
        if (entry == null || marks.isOutdated()) {
            inFlight.endLoadWithout(key, mine);
        } else {
            inFlight.endLoad(key, mine, entry);
        }
        if (failing) {
            failing = false;
        }
        // Looked at again now that no caller can join: one that came after an invalidation must load.
        return marks.isOutdated() ? LoadResult.outdated(value) : LoadResult.value(value);
    }

    private @Nullable V call(K key, PendingLoad<V> mine, Loader<? super K, ? extends V> from, long start)
            throws Exception {
        boolean failed = true;
        Loading before = mine.work.enter();
        try {
            V value = from.load(key);
            failed = false;
            return value;
        } finally {
            Loading.leave(before);
            if (totals != null) {
                count(clock.nanoTime() - start, failed);
            }
        }
    }

    /** Counts a call of the loader. */
    void count(long nanos, boolean failed) {
        if (totals != null) {
            totals.loads.increment();
            totals.loadNanos.add(nanos);
            if (failed) {
                totals.loadFailures.increment();
            }
        }
    }

    /** What follows from a load that has failed. */
    LoadResult<V> failed(
            K key,
            PendingLoad<V> mine,
            @Nullable CacheEntry<V> there,
            Throwable failure,
            boolean isOfCaller,
            Origin origin) {
        boolean isRefresh = origin == Origin.REFRESHED;
        if (isRefresh && totals != null) {
            totals.refreshFailures.increment();
        }
        if (!isRefresh && (isOfCaller || failure instanceof Error)) {
            return LoadResult.failure(failure, isOfCaller);
        }
        long now = clock.nanoTime();
        if (there != null && !there.isOutdated() && lives.mayReplaceFailure(there, now)) {
            CacheEntry<V> later = lives.afterFailure(there, now);
            inFlight.endLoad(key, mine, later);
            warn(there, failure);
            if (failure instanceof Error || isOfCaller) {
                return LoadResult.failure(failure, isOfCaller);
            }
            if (!isRefresh && totals != null) {
                totals.stale.increment();
            }
            return there.isOutdated() ? LoadResult.outdated(there.value) : LoadResult.value(there.value);
        }
        if (isRefresh) {
            warn(there, failure);
        }
        if (!isOfCaller && LoadFailures.isCacheable(failure)) {
            inFlight.endLoad(key, mine, lives.failed(failure, there, now, origin));
        }
        return LoadResult.failure(failure, isOfCaller);
    }

    private void warn(@Nullable CacheEntry<V> there, Throwable failure) {
        if (!failing && (there == null || there.failures == 0)) {
            failing = true;
            SafeLog.warn(
                    LOG,
                    "cache \"{}\": a load failed; what there is is served as long as it may be. Further failures are"
                            + " not logged until a load has worked again",
                    name,
                    failure);
        }
    }
}

package dev.levee.cache;

import dev.levee.cache.CachedValue.Origin;
import dev.levee.cache.PendingLoad.LoadResult;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.parts.CallerFailures;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Loads of many keys by one call, on the thread of the caller.
 *
 * <pre>{@code
 * getAll(a b c d)   a: an entry  ------------------------------------------------------> a
 *                   b: in flight, for another caller ------------- wait, after the call -> b
 *                   c, d: put in flight ---- loadAll(c d), ends both for all that wait --> c, d
 * }</pre>
 *
 * <p><b>Invariants.</b> What was put in flight is ended on every path. A caller calls its loader before it waits for
 * loads of others: two calls that each have a key of the other one do not wait for each other. See ADR 104.
 */
final class BulkLoads<K, V> {
    private final String name;
    private final Environment environment;
    private final LoadSite<K, V> site;

    BulkLoads(String name, Environment environment, LoadSite<K, V> site) {
        this.name = name;
        this.environment = environment;
        this.site = site;
    }

    /** The keys of one call that have no entry. */
    record Claims<K, V>(Map<K, PendingLoad<V>> own, Map<K, PendingLoad<V>> joined) {
        Claims() {
            this(new LinkedHashMap<>(), new LinkedHashMap<>());
        }
    }

    /**
     * Returns the values of keys.
     *
     * @param elsewhere runs the call if this thread must not: there is a time limit, or a key has an old value for a
     *     caller that has waited long enough
     */
    Map<K, V> getAll(Set<K> keys, BulkLoader<? super K, ? extends V> from, AsyncLoads<K, V> elsewhere) {
        Deadline patience = patience();
        BulkAnswer<K, V> answer = new BulkAnswer<>(name, site, keys);
        Collection<K> missing = keys;
        while (!missing.isEmpty()) {
            long joinedAt = site.epoch();
            Loading work = new Loading(name, missing);
            Claims<K, V> claims = claim(missing, work, answer, from);
            if (!site.isLimited() && !anyHasOld(claims.own())) {
                loadOwn(claims.own(), work, from, answer);
            } else if (!claims.own().isEmpty()) {
                elsewhere.launchAll(claims.own(), work, from);
                claims.joined().putAll(claims.own());
            }
            missing = awaitJoined(claims.joined(), joinedAt, answer, patience);
        }
        return answer.valuesOrThrow();
    }

    /** Returns until when this call waits for keys that have an old value; null if there is no such limit. */
    private @Nullable Deadline patience() {
        long nanos = site.softNanos();
        return nanos < Nanos.NEVER ? Deadline.afterNanos(nanos, environment.clock()) : null;
    }

    private boolean anyHasOld(Map<K, PendingLoad<V>> own) {
        boolean done = false;
        try {
            boolean any = own.keySet().stream().anyMatch(site::hasOld);
            done = true;
            return any;
        } finally {
            if (!done) { // a clock or an equals
                fail(own, new IllegalStateException("the call ended before it loaded"));
            }
        }
    }

    /** Answers the keys that have an entry, and puts those in flight that are not. */
    Claims<K, V> claim(Collection<K> keys, Loading work, BulkAnswer<K, V> answer, Loader<? super K, ? extends V> from) {
        Claims<K, V> claims = new Claims<>();
        boolean done = false;
        try {
            for (K key : keys) {
                LoadResult<V> found = site.find(key, from);
                if (found != null) {
                    answer.add(key, found);
                } else {
                    claim(key, work, claims);
                }
            }
            done = true;
            return claims;
        } finally {
            if (!done) { // a clock, an equals or the stack of this thread has failed
                fail(claims.own(), new IllegalStateException("the call ended before it loaded"));
            }
        }
    }

    private void claim(K key, Loading work, Claims<K, V> claims) {
        PendingLoad<V> mine = new PendingLoad<>(work);
        claims.own().put(key, mine); // before it is in flight, so that it is ended in any case
        PendingLoad<V> load = site.start(key, mine);
        if (load != mine || mine.hasEnded()) {
            claims.own().remove(key);
            claims.joined().put(key, load);
        }
    }

    /** Ends loads that are the caller's own, for a reason that lies in its call. */
    void fail(Map<K, PendingLoad<V>> own, Throwable why) {
        for (Map.Entry<K, PendingLoad<V>> each : own.entrySet()) {
            site.settle(each.getKey(), each.getValue(), null, why, true, 0, Origin.LOADED);
        }
    }

    private void loadOwn(
            Map<K, PendingLoad<V>> own,
            Loading work,
            BulkLoader<? super K, ? extends V> from,
            BulkAnswer<K, V> answer) {
        if (own.isEmpty()) {
            return;
        }
        BulkCall<K, V> call = null;
        Loading outer = null;
        try {
            outer = Loading.current();
            if (outer != null) {
                outer.needsInside(work);
            }
            call = load(own, work, from, answer, false);
        } finally {
            if (call == null) { // the stack has ended: there is more room here than further in
                fail(own, new IllegalStateException("the call ended before its loads did"));
            }
            if (outer != null) {
                outer.needsNoMore(work);
            }
        }
        Throwable failure = call.failure();
        if (failure instanceof Error error) {
            throw error;
        }
        if (failure != null && CallerFailures.isOfCaller(failure)) {
            throw LoadFailures.asSeenByCaller(name, "load", failure, false);
        }
    }

    /** Calls the loader for loads that are in flight, and ends them. */
    BulkCall<K, V> load(
            Map<K, PendingLoad<V>> own,
            Loading work,
            BulkLoader<? super K, ? extends V> from,
            BulkAnswer<K, V> answer,
            boolean ofNoCaller) {
        boolean done = false;
        try {
            long start = environment.clock().nanoTime();
            BulkCall<K, V> call = BulkCall.of(name, from, own.keySet(), work);
            long nanos = environment.clock().nanoTime() - start;
            site.count(nanos, call.hasFailures());
            settle(own, call, answer, ofNoCaller, start);
            done = true;
            return call;
        } finally {
            if (!done) {
                fail(own, new IllegalStateException("the call ended before its loads did"));
            }
        }
    }

    private void settle(
            Map<K, PendingLoad<V>> own, BulkCall<K, V> call, BulkAnswer<K, V> answer, boolean ofNoCaller, long start) {
        Throwable common = call.failure();
        boolean ofCaller = common != null && !ofNoCaller && CallerFailures.isOfCaller(common);
        for (Map.Entry<K, PendingLoad<V>> each : own.entrySet()) {
            K key = each.getKey();
            answer.add(
                    key,
                    site.settle(
                            key, each.getValue(), call.value(key), call.failure(key), ofCaller, start, Origin.LOADED));
        }
    }

    /** Waits for loads of other callers, and returns the keys that must be looked up again. */
    private List<K> awaitJoined(
            Map<K, PendingLoad<V>> joined, long joinedAt, BulkAnswer<K, V> answer, @Nullable Deadline patience) {
        List<K> again = new ArrayList<>();
        for (Map.Entry<K, PendingLoad<V>> each : joined.entrySet()) {
            K key = each.getKey();
            PendingLoad<V> load = each.getValue();
            try {
                LoadResult<V> old = patience == null ? null : oldAfter(patience, key, load);
                LoadResult<V> result = old == null ? load.await(name, key, environment.scheduler()) : old;
                if (old == null && load.mustReload(result, joinedAt)) {
                    again.add(key);
                } else {
                    answer.add(key, result);
                }
            } catch (IllegalStateException ring) {
                answer.addThrown(key, ring);
            }
        }
        return again;
    }

    /** Waits for a load, but not for long; returns the old value if that has not ended, and there is one. */
    private @Nullable LoadResult<V> oldAfter(Deadline patience, K key, PendingLoad<V> load) {
        if (!site.hasOld(key) || load.await(name, key, environment.scheduler(), patience) != null) {
            return null;
        }
        return site.old(key);
    }

    /** Begins a load of each key that is none of this thread, and waits for all. */
    Map<K, V> awaitAll(Set<K> keys, Loader<? super K, ? extends V> from, AsyncLoads<K, V> elsewhere) {
        BulkAnswer<K, V> answer = new BulkAnswer<>(name, site, keys);
        boolean withinALoad = Loading.current() != null;
        Deadline patience = patience();
        Collection<K> missing = keys;
        while (!missing.isEmpty()) {
            long joinedAt = site.epoch();
            Map<K, PendingLoad<V>> joined = new LinkedHashMap<>();
            for (K key : missing) {
                LoadResult<V> found = site.find(key, from);
                if (found != null) {
                    answer.add(key, found);
                    continue;
                }
                PendingLoad<V> mine = new PendingLoad<>(new Loading(name, key));
                PendingLoad<V> load = site.start(key, mine);
                if (load == mine && !mine.hasEnded()) {
                    elsewhere.launch(key, mine, from, withinALoad);
                }
                joined.put(key, load);
            }
            missing = awaitJoined(joined, joinedAt, answer, patience);
        }
        return answer.valuesOrThrow();
    }

    /** Loads one key after the other, as single gets do, for a loader that has no call for many. */
    Map<K, V> oneByOne(Set<K> keys, Function<K, @Nullable V> get) {
        BulkAnswer<K, V> answer = new BulkAnswer<>(name, site, keys);
        for (K key : keys) {
            try {
                answer.add(key, LoadResult.value(get.apply(key)));
            } catch (RuntimeException failure) {
                if (CallerFailures.isOfCaller(failure)) {
                    throw failure;
                }
                answer.addThrown(key, failure);
            }
        }
        return answer.valuesOrThrow();
    }
}

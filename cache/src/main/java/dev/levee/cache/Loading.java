package dev.levee.cache;

import dev.levee.core.internal.Text;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The work of one load, of one key or of many at once, and the loads without which it does not go on.
 *
 * <pre>{@code
 * load of a, on a thread --needs--> load of b, on the same thread, or on another one that this one waits for
 *                        --needs--> load of c, whose stage the loader of a was given
 * }</pre>
 *
 * <p><b>Invariants.</b> Loads that wait for each other for ever are a ring, and what closes it can see it: a need is
 * published before the ring is walked, hence of those that close a ring at the same time at least one sees it closed. A
 * load that asks for a stage is taken to need it until it ends, because whether it waits for it cannot be seen. What a
 * thread works for is known on that thread alone: user code that hands work to threads of its own is on its own there.
 * See ADR 21 and ADR 104.
 */
final class Loading {
    private static final ThreadLocal<@Nullable Loading> CURRENT = new ThreadLocal<>();

    private final String cache;

    /** The key, or a collection of keys; only for messages. */
    private final Object keys;

    /** What this load needs to go on, the same one perhaps twice. Guarded by itself; no user code runs under it. */
    private final List<Loading> needs = new ArrayList<>(0);

    /** How many loads of keys this is the work of, and have not ended. */
    private final AtomicInteger open = new AtomicInteger();

    Loading(String cache, Object keys) {
        this.cache = cache;
        this.keys = keys;
    }

    /** Returns the load that this thread works for, or null. */
    static @Nullable Loading current() {
        return CURRENT.get();
    }

    /**
     * Makes this the load that the thread works for.
     *
     * @return what it was before, for {@link #leave}
     */
    @Nullable Loading enter() {
        Loading before = CURRENT.get();
        CURRENT.set(this);
        return before;
    }

    static void leave(@Nullable Loading before) {
        if (before == null) {
            CURRENT.remove();
        } else {
            CURRENT.set(before);
        }
    }

    /** Notes that a key is in flight whose value this work brings. */
    void keyBegun() {
        open.incrementAndGet();
    }

    /** Notes that the load of a key has ended; after the last one nothing waits for this work any more. */
    void keyEnded() {
        open.decrementAndGet();
    }

    boolean hasEnded() {
        return open.get() == 0;
    }

    /**
     * Notes that this load needs another one, which runs within it on the same thread: the other one has only begun, so
     * there cannot be a ring.
     */
    void needsInside(Loading other) {
        synchronized (needs) {
            needs.add(other);
        }
    }

    /**
     * Notes that this load needs another one.
     *
     * @throws IllegalStateException with the keys on the way, if the other one needs this one
     */
    void needs(Loading other, String cacheOfKey, Object key) {
        needsInside(other);
        List<Loading> ring = way(other, this);
        if (!ring.isEmpty()) {
            needsNoMore(other);
            throw new IllegalStateException("cache \"" + cacheOfKey + "\" cannot load key " + Text.printable(key)
                    + ": the load that needs it has to end before it can be loaded, or it needs itself: "
                    + text(ring));
        }
    }

    void needsNoMore(Loading other) {
        synchronized (needs) {
            needs.remove(other);
        }
    }

    private List<Loading> needed() {
        synchronized (needs) {
            return needs.isEmpty() ? List.of() : List.copyOf(needs);
        }
    }

    /** Returns the loads from one to another along what they need, or none if there is no way. */
    private static List<Loading> way(Loading from, Loading to) {
        if (from == to) {
            return List.of(to); // as the load of the key has been seen to run
        }
        IdentityHashMap<Loading, Loading> cameFrom = new IdentityHashMap<>();
        ArrayDeque<Loading> open = new ArrayDeque<>();
        cameFrom.put(from, from);
        open.add(from);
        for (Loading next = open.poll(); next != null; next = open.poll()) {
            List<Loading> needed = next.needed();
            // In this order: only if it has not ended afterwards is it certain that it needed them while it ran.
            if (next.hasEnded()) {
                continue;
            }
            for (Loading further : needed) {
                if (cameFrom.putIfAbsent(further, next) == null) {
                    if (further == to) {
                        return backwards(cameFrom, from, to);
                    }
                    open.add(further);
                }
            }
        }
        return List.of();
    }

    private static List<Loading> backwards(IdentityHashMap<Loading, Loading> cameFrom, Loading from, Loading to) {
        List<Loading> way = new ArrayList<>();
        Loading step = to;
        while (step != null && step != from) {
            way.add(0, step);
            step = cameFrom.get(step);
        }
        way.add(0, from);
        return way;
    }

    /** The ring in the order in which its loads need each other, from the one that closes it to itself. */
    private static String text(List<Loading> way) {
        Loading last = way.get(way.size() - 1);
        StringBuilder text = new StringBuilder(last.toString());
        for (Loading step : way) {
            text.append(" -> ").append(step);
        }
        return text.toString();
    }

    @Override
    public String toString() {
        return Text.printable(cache) + "[" + Text.printable(keys) + "]";
    }
}

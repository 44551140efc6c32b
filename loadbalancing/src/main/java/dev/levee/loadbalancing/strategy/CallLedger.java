package dev.levee.loadbalancing.strategy;

import dev.levee.core.Verdict;
import dev.levee.core.internal.PaddedLong;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Counts the calls of one balancer, all together and for each endpoint, so that a bound on one endpoint which depends
 * on all calls holds at every instant.
 *
 * <pre>
 *   all, one word of the balancer           calls, one word of each endpoint ({@link Seat})
 *   63              32 31              0    63                                0
 *   +-----------------+-----------------+   +----------------------------------+
 *   |     version     |   all calls     |   |   calls that have, or ask for,   |
 *   |                 |   admitted      |   |   a place at this endpoint       |
 *   +-----------------+-----------------+   +----------------------------------+
 *
 *   reserve:  1. calls + 1   2. read all   3. read calls   4. if within the bound of all + 1:
 *             compare-and-set all to (version + 1, all + 1), or again from 2; else calls - 1 and refuse
 *   release:  1. all to (version + 1, all - 1)   2. calls - 1
 * </pre>
 *
 * <p>Invariants:
 *
 * <ul>
 *   <li>The number of an endpoint is never less than the calls that have a place there: a call adds itself first, and
 *       one that ends leaves {@code all} first.
 *   <li>If the compare-and-set succeeds the version is unchanged, so no call was admitted or ended between the reads
 *       and the admission: what was compared was true at that instant.
 *   <li>So a bound may refuse a call too early, for a moment, but never too late.
 * </ul>
 *
 * <p>See ADR 50.
 *
 * @see <a href="https://arxiv.org/abs/1608.01350">Mirrokni, Thorup and Zadimoghaddam 2016</a>
 */
final class CallLedger {
    /** A version more, a call more. */
    private static final long BEGUN = (1L << 32) + 1;

    /** A version more, a call less. */
    private static final long ENDED = (1L << 32) - 1;

    /** How many sets are told apart by their age: groups of a set are made with it, or soon after. */
    private static final int GENERATIONS = 8;

    private final PaddedLong all = new PaddedLong(0);
    private final Queue<WeakReference<Seat>> seats = new ConcurrentLinkedQueue<>();
    private final AtomicReference<List<NumberedSet>> generations = new AtomicReference<>(List.of());

    /** The number of a set of the balancer, in the order in which they came; groups of one set have that of the set. */
    private record NumberedSet(WeakReference<Candidates> whole, long number) {}

    Seat newSeat() {
        Seat seat = new Seat(this);
        seats.add(new WeakReference<>(seat));
        return seat;
    }

    private static long count(long seen) {
        return seen & 0xFFFFFFFFL;
    }

    /** Returns the counts of a set whose endpoints share a bound; null if they do not all have a seat here. */
    @Nullable ReservedCalls counts(Candidates candidates, LoadBound bound) {
        Seat[] members = new Seat[candidates.size()];
        for (int i = 0; i < members.length; i++) {
            if (!(candidates.tracker(i) instanceof Seat seat) || seat.ledger != this) {
                return null;
            }
            members[i] = seat;
        }
        long generation = generation(candidates instanceof Group group ? group.all() : candidates);
        Seat[] outside = outside(new HashSet<>(Arrays.asList(members)));
        ReservedCalls counts = new ReservedCalls(this, members, outside, bound, generation);
        for (int i = 0; i < members.length; i++) {
            members[i].place = new Place(counts, i, placeInUse(members[i].place));
        }
        return counts;
    }

    /** Returns the number of a set: a new one if it is not one of the last. */
    private long generation(Candidates whole) {
        while (true) {
            List<NumberedSet> known = Objects.requireNonNull(generations.get());
            long last = known.isEmpty() ? 0L : known.get(known.size() - 1).number;
            for (NumberedSet one : known) {
                if (one.whole.refersTo(whole)) {
                    return one.number;
                }
            }
            List<NumberedSet> now =
                    new ArrayList<>(known.subList(Math.max(0, known.size() - GENERATIONS + 1), known.size()));
            now.add(new NumberedSet(new WeakReference<>(whole), last + 1));
            if (generations.compareAndSet(known, now)) {
                return last + 1;
            }
        }
    }

    /** Returns the seats of other endpoints: they have left, or health leaves them out, and may still have calls. */
    private Seat[] outside(Set<Seat> inside) {
        List<Seat> others = new ArrayList<>();
        for (Iterator<WeakReference<Seat>> known = seats.iterator(); known.hasNext(); ) {
            Seat seat = known.next().get();
            if (seat == null) {
                known.remove();
            } else if (!inside.contains(seat)) {
                others.add(seat);
            }
        }
        return others.toArray(new Seat[0]);
    }

    /**
     * Where a seat is found in the last set that it was in; and in the set before, whose bound holds until calls pick
     * from the new one: it is made before it is published, and may never be. Of groups that overlap, such as one of a
     * split and all endpoints, that holds from which the last call was picked.
     */
    private record Place(
            ReservedCalls counts, int index, @Nullable Place before) {
        Place inUse() {
            Place old = before;
            return old == null || counts.used ? this : old;
        }
    }

    private static @Nullable Place placeInUse(@Nullable Place last) {
        if (last == null) {
            return null;
        }
        Place used = last.inUse();
        return new Place(used.counts, used.index, null);
    }

    /** The calls of one set, by the places that are reserved. */
    static final class ReservedCalls implements CallCounts {
        private final CallLedger ledger;
        private final Seat[] members;
        private final Seat[] outside;
        private final LoadBound bound;
        private final long generation;
        private volatile boolean used;

        private ReservedCalls(CallLedger ledger, Seat[] members, Seat[] outside, LoadBound bound, long generation) {
            this.ledger = ledger;
            this.members = members;
            this.outside = outside;
            this.bound = bound;
            this.generation = generation;
        }

        /** Returns the calls at the members: not more than there are. */
        @Override
        public long calls() {
            return calls(ledger.all.get());
        }

        private long calls(long seen) {
            long calls = count(seen);
            for (Seat seat : outside) {
                calls -= seat.calls();
            }
            return Math.max(0, calls);
        }

        @Override
        public long calls(int index) {
            return members[index].calls();
        }

        @Override
        public void picked(int index) {
            if (!used) {
                used = true;
            }
            Place last = members[index].place;
            ReservedCalls counts = last == null ? this : last.inUse().counts;
            if (counts != this && counts.generation <= generation) {
                members[index].place = new Place(this, index, null);
            }
        }

        @Override
        public void admitOneMore(int index) {
            members[index].oneMore.set(true);
        }
    }

    /** The places of one endpoint, for as long as it stays in the set. */
    static final class Seat implements LoadTracker {
        private final CallLedger ledger;
        private final PaddedLong calls = new PaddedLong(0);
        private final AtomicBoolean oneMore = new AtomicBoolean();
        private volatile @Nullable Place place;

        private Seat(CallLedger ledger) {
            this.ledger = ledger;
        }

        private long calls() {
            return calls.get();
        }

        /** Admits one more call, if there is no room for it now: one that must not go elsewhere. */
        void admitBeyondBound() {
            if (!hasRoom(ledger.all.get(), calls() + 1)) {
                oneMore.set(true);
            }
        }

        @Override
        public boolean reserve() {
            calls.getAndAdd(1);
            boolean admitted = false;
            while (true) {
                long seen = ledger.all.get();
                if (!admitted && !hasRoom(seen, calls())) {
                    admitted = oneMore.compareAndSet(true, false);
                    if (!admitted) {
                        calls.getAndAdd(-1);
                        return false;
                    }
                }
                if (ledger.all.compareAndSet(seen, seen + BEGUN)) {
                    if (!admitted && oneMore.get()) {
                        oneMore.set(false); // granted while there was no room: none for a later call
                    }
                    return true;
                }
            }
        }

        /** Whether so many calls here are within the bound. */
        private boolean hasRoom(long seen, long here) {
            Place last = place;
            if (last == null) {
                return true; // in no set yet, so no picker can have picked it by a bound
            }
            Place now = last.inUse();
            long capacity = now.counts.bound.capacity(now.index, now.counts.calls(seen) + 1);
            return here <= capacity;
        }

        @Override
        public void release() {
            ledger.all.getAndAdd(ENDED);
            calls.getAndAdd(-1);
        }

        @Override
        public long started(long nowNanos) {
            return 0;
        }

        @Override
        public void ended(
                long token,
                long startNanos,
                long endNanos,
                Verdict verdict,
                @Nullable Object result,
                @Nullable Throwable error) {
            release();
        }
    }
}

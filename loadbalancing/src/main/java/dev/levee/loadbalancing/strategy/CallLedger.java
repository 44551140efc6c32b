package dev.levee.loadbalancing.strategy;

import dev.levee.core.Verdict;
import dev.levee.core.internal.PaddedLong;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Counts the calls of one balancer, all and for each endpoint, so that a bound on one that depends on all holds at every instant.
 *
 * <p>A call first adds itself to its endpoint's number, then looks at all, then at the endpoint's number, and if that is within its bound
 * it is admitted by a compare-and-set of all, which carries a version: nobody was admitted or ended in between, so what was
 * compared was true at that instant. Numbers of endpoints are never less than the calls that have a place there, since who ends leaves all
 * first. So a bound may refuse a call too early, for a moment, but never too late.
 */
final class CallLedger {
    private static final long BEGUN = (1L << 32) + 1; // a version more, a call more
    private static final long ENDED = (1L << 32) - 1; // a version more, a call less

    private final PaddedLong all = new PaddedLong(0);
    private final Queue<WeakReference<Seat>> seats = new ConcurrentLinkedQueue<>();

    Seat newSeat() {
        Seat seat = new Seat(this);
        seats.add(new WeakReference<>(seat));
        return seat;
    }

    private static long count(long seen) {
        return seen & 0xFFFFFFFFL;
    }

    /** Those among whom a bound holds; null if they do not all have a seat here. */
    @Nullable Group group(Candidates candidates, BoundedLoadsStrategy.Bound bound) {
        Seat[] members = new Seat[candidates.size()];
        for (int i = 0; i < members.length; i++) {
            if (!(candidates.tracker(i) instanceof Seat seat) || seat.ledger != this) {
                return null;
            }
            members[i] = seat;
        }
        Group group = new Group(this, members, outside(new HashSet<>(Arrays.asList(members))), bound);
        for (int i = 0; i < members.length; i++) {
            members[i].place = new Place(group, i);
        }
        return group;
    }

    /** Those that are alive but not in the group: they have left, or health leaves them out, and may still have calls. */
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

    private record Place(Group group, int index) {}

    /** Endpoints that share a bound. */
    static final class Group {
        private final CallLedger ledger;
        private final Seat[] members;
        private final Seat[] outside;
        private final BoundedLoadsStrategy.Bound bound;

        private Group(CallLedger ledger, Seat[] members, Seat[] outside, BoundedLoadsStrategy.Bound bound) {
            this.ledger = ledger;
            this.members = members;
            this.outside = outside;
            this.bound = bound;
        }

        /** The calls in the group: not more than there are. */
        long calls() {
            return calls(ledger.all.get());
        }

        private long calls(long seen) {
            long calls = count(seen);
            for (Seat seat : outside) {
                calls -= seat.calls();
            }
            return Math.max(0, calls);
        }

        long calls(int index) {
            return members[index].calls();
        }

        /** Lets one call in where there is no room, if there is none when it comes. */
        void letOneIn(int index) {
            members[index].oneMore.set(true);
        }
    }

    /** The places of one endpoint as long as it stays in the set. */
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

        @Override
        public boolean reserve() {
            calls.getAndAdd(1);
            boolean letIn = false;
            while (true) {
                long seen = ledger.all.get();
                if (!letIn && !hasRoom(seen)) {
                    letIn = oneMore.compareAndSet(true, false);
                    if (!letIn) {
                        calls.getAndAdd(-1);
                        return false;
                    }
                }
                if (ledger.all.compareAndSet(seen, seen + BEGUN)) {
                    return true;
                }
            }
        }

        private boolean hasRoom(long seen) {
            Place now = place;
            if (now == null) {
                return true; // in no set yet, so nobody can have picked it by a bound
            }
            long capacity = now.group.bound.capacity(now.index, now.group.calls(seen) + 1);
            return calls() <= capacity;
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

package dev.levee.loadbalancing.strategy;

import dev.levee.core.Environment;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.hash.ConsistentHash;
import dev.levee.loadbalancing.hash.Member;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/** A consistent hash whose members hold no more than so much above their share: who is full hands on to the next. */
final class BoundedLoadsStrategy implements BalancingStrategy {
    private final Function<? super List<Member>, ? extends ConsistentHash> hash;
    private final double excess;
    private final @Nullable CallLedger ledger; // of the balancer

    BoundedLoadsStrategy(
            Function<? super List<Member>, ? extends ConsistentHash> hash, double excess, @Nullable CallLedger ledger) {
        this.hash = hash;
        this.excess = excess;
        this.ledger = ledger;
    }

    @Override
    public BalancingStrategy forBalancer(Environment environment) {
        return new BoundedLoadsStrategy(hash, excess, new CallLedger());
    }

    @Override
    public @Nullable LoadTracker newTracker(Endpoint<?> endpoint) {
        return ledger == null ? null : ledger.newSeat();
    }

    @Override
    public Picker over(Candidates candidates) {
        return new Bounded(HashStrategy.hash(hash, candidates), new Bound(candidates, excess, ledger));
    }

    @Override
    public String toString() {
        return "consistent hash with bounded loads of 1 + " + excess;
    }

    /**
     * How many calls each of a set may have: of all, counting the one that is to come, its share by weight and the excess, rounded up.
     * Where a balancer lends its ledger, calls are counted there, where a place can be reserved; otherwise they are the candidates'.
     */
    static final class Bound {
        private static final double ROUNDING = 1 - 1e-12;

        private final Candidates candidates;
        private final double excess;
        private final double[] weights;
        private final double total;
        private final CallLedger.@Nullable Group group;

        Bound(Candidates candidates, double excess, @Nullable CallLedger ledger) {
            this.candidates = candidates;
            this.excess = excess;
            this.weights = Weights.of(candidates);
            double sum = 0;
            for (double weight : weights) {
                sum += weight;
            }
            this.total = sum;
            this.group = ledger == null ? null : ledger.group(candidates, this);
        }

        long calls() {
            if (group != null) {
                return group.calls();
            }
            long calls = 0;
            for (int i = 0; i < weights.length; i++) {
                calls += candidates.inFlight(i);
            }
            return calls;
        }

        long calls(int index) {
            return group != null ? group.calls(index) : candidates.inFlight(index);
        }

        long capacity(int index, long calls) {
            return capacity(excess, calls, weights[index], total);
        }

        static long capacity(double excess, long calls, double weight, double total) {
            return Math.max(1, (long) Math.ceil((1 + excess) * calls * weight / total * ROUNDING));
        }

        boolean hasRoom(int index) {
            return calls(index) < capacity(index, calls() + 1);
        }

        /** The first of some that has room if they were all there is; for when they are full, and others have room but are left out. */
        int among(ConsistentHash owners, long hash, IntPredicate eligible) {
            long calls = 1;
            double weight = 0;
            for (int i = 0; i < weights.length; i++) {
                if (eligible.test(i)) {
                    calls += calls(i);
                    weight += weights[i];
                }
            }
            long all = calls;
            double of = weight;
            int index =
                    owners.indexOfHash(hash, i -> eligible.test(i) && calls(i) < capacity(excess, all, weights[i], of));
            if (index < 0) {
                index = owners.indexOfHash(hash, eligible); // calls came while they were counted
            }
            if (index >= 0 && group != null) {
                group.letOneIn(index);
            }
            return index;
        }
    }

    private static final class Bounded implements Picker {
        private final ConsistentHash owners;
        private final Bound bound;
        private final IntPredicate room;

        Bounded(ConsistentHash owners, Bound bound) {
            this.owners = owners;
            this.bound = bound;
            this.room = bound::hasRoom;
        }

        @Override
        public int pick(long hash) {
            int owner = owners.indexOfHash(hash);
            if (owner < 0 || bound.hasRoom(owner)) {
                return owner;
            }
            int next = owners.indexOfHash(hash, room);
            return next < 0 ? owner : next; // below 0 only while calls come and go at this moment
        }

        @Override
        public int pick(long hash, IntPredicate eligible) {
            int index = owners.indexOfHash(hash, i -> eligible.test(i) && bound.hasRoom(i));
            return index < 0 ? bound.among(owners, hash, eligible) : index;
        }

        @Override
        public Choice explain(long hash, IntPredicate eligible) {
            int owner = owners.indexOfHash(hash, eligible);
            int index = owners.indexOfHash(hash, i -> eligible.test(i) && bound.hasRoom(i));
            if (index < 0) {
                index = owner;
            }
            if (index < 0) {
                return new Choice(index, "");
            }
            long all = bound.calls() + 1;
            String reason = bound.calls(index) + " of " + bound.capacity(index, all) + " places taken";
            return new Choice(
                    index,
                    index == owner
                            ? "owner of hash " + Long.toHexString(hash) + ": " + reason
                            : "next for hash " + Long.toHexString(hash) + ", whose owner "
                                    + owners.members().get(owner).id() + " is full: " + reason);
        }
    }
}

package dev.levee.ratelimit.shared;

import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.SlidingWindowLimit;
import dev.levee.ratelimit.TokenBucketLimit;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;

/** The rules of {@link QuotaStore} in exact arithmetic, as a model and for tests. Thread-safe. */
final class MemoryQuotaStore implements QuotaStore {
    private static final long SHARER_NANOS = 2_000_000_000L;

    private final LongSupplier clock;
    private final long replayNanos;
    private final Map<String, Entry> entries = new HashMap<>();
    private final Set<String> spoiled = new HashSet<>();
    private long aheadNanos;
    private long markNanos;
    private long batches;
    private long requests;

    /**
     * Makes a store that has remembered for so long that each key is full.
     *
     * @param clock of the server, from 0 to 2^61
     */
    MemoryQuotaStore(LongSupplier clock, long replayNanos) {
        this.clock = clock;
        this.replayNanos = replayNanos;
        this.markNanos = clock.getAsLong() - (1L << 61);
    }

    @Override
    public synchronized CompletableFuture<List<QuotaGrant>> take(QuotaBatch batch) {
        return CompletableFuture.completedFuture(decide(batch, batch.requests().size()));
    }

    /** Carries out the first requests of a batch. */
    synchronized List<QuotaGrant> decide(QuotaBatch batch, int count) {
        batches++;
        List<QuotaGrant> grants = new ArrayList<>();
        for (QuotaRequest request : batch.requests().subList(0, count)) {
            requests++;
            grants.add(decide(batch.node(), batch.sequence(), request));
        }
        return grants;
    }

    @Override
    public void check(Limit limit) {
        if (!(limit instanceof TokenBucketLimit || limit instanceof SlidingWindowLimit)) {
            throw new IllegalArgumentException("limit must be a token bucket or a sliding window, but was " + limit);
        }
    }

    @Override
    public long replayNanos() {
        return replayNanos;
    }

    /** Puts something else in place of what is kept of a key, or takes it away. */
    synchronized void spoil(String limiter, String key, boolean isSpoiled) {
        String id = limiter + '\n' + key;
        entries.remove(id);
        if (isSpoiled) {
            spoiled.add(id);
        } else {
            spoiled.remove(id);
        }
    }

    synchronized void forgetAll() {
        entries.clear();
        markNanos = now();
    }

    /** Sets the clock of the server. */
    synchronized void setAhead(long nanos) {
        aheadNanos = nanos;
    }

    synchronized long batches() {
        return batches;
    }

    synchronized long requests() {
        return requests;
    }

    private long now() {
        return clock.getAsLong() + aheadNanos;
    }

    private QuotaGrant decide(String node, long sequence, QuotaRequest request) {
        long now = now();
        String id = request.limiter() + '\n' + request.key();
        if (spoiled.contains(id)) {
            return QuotaGrant.failed(new IllegalStateException("what is kept of it is of another program"));
        }
        Entry entry = entries.get(id);
        if (entry == null) {
            entry = new Entry(request.terms(), now);
            entry.state.fillFromNothing(now - markNanos);
            entries.put(id, entry);
        }
        Asked last = entry.asked.get(node);
        if (last != null && sequence <= last.sequence) {
            return sequence == last.sequence ? last.grant : entry.answer(0, 1, null, false, 1);
        }
        QuotaGrant grant = entry.decide(node, request, now);
        entry.asked.put(node, new Asked(sequence, entry.time, grant));
        return grant;
    }

    private record Asked(long sequence, long time, QuotaGrant grant) {}

    private static final class Entry {
        private QuotaTerms terms;
        private State state;
        private long time;
        private long server;
        private final Map<String, Asked> asked = new HashMap<>();

        Entry(QuotaTerms terms, long now) {
            this.terms = terms;
            time = now;
            server = now;
            state = State.of(terms.limit(), now);
        }

        QuotaGrant decide(String node, QuotaRequest request, long now) {
            long passed = Math.max(0, now - server);
            time = Math.max(time, Math.min(time + passed, request.latestNanos()));
            server = now;
            state.pass(time);
            long since = time - SHARER_NANOS;
            int sharers = 1
                    + (int) asked.entrySet().stream()
                            .filter(other -> !other.getKey().equals(node) && other.getValue().time >= since)
                            .count();
            QuotaTerms other = null;
            if (!request.terms().equals(terms)) {
                if (request.terms().revision() > terms.revision()) {
                    long used = state.used();
                    terms = request.terms();
                    state = State.of(terms.limit(), time);
                    state.use(used);
                } else if (request.terms().revision() == terms.revision()) {
                    return answer(0, 1, terms, true, sharers);
                } else {
                    other = terms;
                }
            }
            if (request.used() >= 0) {
                state.use(request.used());
            } else {
                state.comesBack(-request.used(), request.takenNanos());
            }
            long there = Math.max(0, state.available());
            if (request.needed() > there) {
                return answer(0, state.waitNanos(request.needed()), other, false, sharers);
            }
            long permits = Math.min(there, request.demanded());
            permits += Math.min(request.wanted() - request.demanded(), (there - permits) / sharers);
            state.use(permits);
            return answer(permits, 0, other, false, sharers);
        }

        QuotaGrant answer(long permits, long waitNanos, QuotaTerms other, boolean conflict, int sharers) {
            return new QuotaGrant(
                    permits, waitNanos, state.available(), state.resetNanos(), sharers, time, other, conflict);
        }
    }

    private abstract static class State {
        final BigInteger per;
        final BigInteger permits;
        final BigInteger capacity;

        State(Limit limit) {
            per = BigInteger.valueOf(limit.per().toNanos());
            permits = BigInteger.valueOf(limit.permits());
            capacity = BigInteger.valueOf(limit.capacity());
        }

        static State of(Limit limit, long now) {
            return limit instanceof TokenBucketLimit ? new Bucket(limit, now) : new Window(limit, now);
        }

        abstract void pass(long now);

        abstract void fillFromNothing(long sinceNanos);

        abstract long used();

        abstract void use(long count);

        abstract void comesBack(long count, long takenNanos);

        abstract long available();

        abstract long waitNanos(long count);

        abstract long resetNanos();

        static BigInteger up(BigInteger value, BigInteger by) {
            return value.add(by).subtract(BigInteger.ONE).divide(by);
        }
    }

    /** A permit is {@code per} units; a nanosecond pays {@code permits} units. */
    private static final class Bucket extends State {
        private BigInteger debt = BigInteger.ZERO;
        private long at;

        Bucket(Limit limit, long now) {
            super(limit);
            at = now;
        }

        @Override
        void pass(long now) {
            debt = debt.subtract(permits.multiply(BigInteger.valueOf(now - at))).max(BigInteger.ZERO);
            at = now;
        }

        @Override
        void fillFromNothing(long sinceNanos) {
            debt = capacity.multiply(per)
                    .subtract(permits.multiply(BigInteger.valueOf(sinceNanos)))
                    .max(BigInteger.ZERO);
        }

        @Override
        long used() {
            return up(debt, per).longValueExact();
        }

        @Override
        void use(long count) {
            debt = debt.add(BigInteger.valueOf(count).multiply(per));
        }

        @Override
        void comesBack(long count, long takenNanos) {
            BigInteger given = permits.multiply(BigInteger.valueOf(Math.max(0, at - Math.min(takenNanos, at))));
            BigInteger credit =
                    BigInteger.valueOf(count).multiply(per).subtract(given).max(BigInteger.ZERO);
            debt = debt.subtract(credit).max(BigInteger.ZERO);
        }

        @Override
        long available() {
            BigInteger[] parts = capacity.multiply(per).subtract(debt).divideAndRemainder(per);
            return parts[0].longValueExact() - (parts[1].signum() < 0 ? 1 : 0);
        }

        @Override
        long waitNanos(long count) {
            BigInteger missing =
                    debt.add(BigInteger.valueOf(count).subtract(capacity).multiply(per));
            return count > capacity.longValueExact()
                    ? QuotaGrant.NEVER
                    : up(missing, permits).max(BigInteger.ONE).longValueExact();
        }

        @Override
        long resetNanos() {
            return up(debt, permits).longValueExact();
        }
    }

    /** Counts of two windows. */
    private static final class Window extends State {
        private final long length;
        private long start;
        private long previous;
        private long current;
        private long now;

        Window(Limit limit, long now) {
            super(limit);
            length = limit.per().toNanos();
            start = now;
            this.now = now;
        }

        @Override
        void pass(long next) {
            now = next;
            long windows = (now - start) / length;
            if (windows > 0) {
                previous = windows == 1 ? current : 0;
                current = 0;
                start += windows * length;
            }
        }

        @Override
        void fillFromNothing(long sinceNanos) {
            if (sinceNanos < length) {
                current = capacity.longValueExact();
            }
        }

        private long used(long at) {
            BigInteger left = BigInteger.valueOf(Math.max(0, length - (at - start)));
            return up(BigInteger.valueOf(previous).multiply(left), per).longValueExact() + current;
        }

        @Override
        long used() {
            return used(now);
        }

        @Override
        void use(long count) {
            current += count;
        }

        @Override
        void comesBack(long count, long takenNanos) {
            if (takenNanos >= start) {
                current = Math.max(0, current - count);
            }
        }

        @Override
        long available() {
            return capacity.longValueExact() - used(now);
        }

        @Override
        long waitNanos(long count) {
            if (count > capacity.longValueExact()) {
                return QuotaGrant.NEVER;
            }
            long most = capacity.longValueExact() - count;
            if (current <= most) {
                // previous * (length - elapsed) <= (most - current) * length
                return Math.max(1, length - floor(most - current, previous) - (now - start));
            }
            return Math.max(1, start + length - now + length - floor(most, current));
        }

        private long floor(long room, long of) {
            return BigInteger.valueOf(room)
                    .multiply(per)
                    .divide(BigInteger.valueOf(Math.max(1, of)))
                    .longValueExact();
        }

        @Override
        long resetNanos() {
            return current > 0 ? start + 2 * length - now : previous > 0 ? start + length - now : 0;
        }
    }
}

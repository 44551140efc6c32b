package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.constraints.IntRange;

/** What holds for every history of calls of many keys. */
class KeyedRateLimiterPropertyTest {
    /** A call of one key; time is counted in quarters of an interval, so that buckets are often just full. */
    record Call(int key, long quarters, int permits) {}

    private static final long QUARTER = 250_000_000;
    private static final TokenBucketLimit LIMIT = Limit.perSecond(1).burst(3);

    @Provide
    Arbitrary<List<Call>> calls() {
        return Combinators.combine(
                        Arbitraries.integers().between(0, 11),
                        Arbitraries.frequency(Tuple.of(4, 0), Tuple.of(4, 1), Tuple.of(1, 20))
                                .flatMap(most -> Arbitraries.longs().between(0, most)),
                        Arbitraries.integers().between(1, 4))
                .as(Call::new)
                .list()
                .ofMinSize(1)
                .ofMaxSize(150);
    }

    @Property(edgeCases = EdgeCasesMode.NONE)
    void with_room_for_all_keys_each_is_limited_as_if_it_were_alone(
            @ForAll("calls") List<Call> calls, @ForAll long origin) {
        SettableClock clock = new SettableClock(origin);
        KeyedRateLimiter<Integer> limiter =
                KeyedRateLimiter.of("l", config -> config.limit(LIMIT).maxKeys(12), clock.environment());
        Map<Integer, RateLimiter> alone = new HashMap<>();
        for (int key = 0; key < 12; key++) {
            alone.put(key, RateLimiter.of("l", LIMIT, clock.environment()));
        }
        for (Call call : calls) {
            clock.set(clock.nanoTime() + call.quarters() * QUARTER);
            assertThat(limiter.tryAcquireOrWaitNanos(call.key(), call.permits()))
                    .isEqualTo(alone.get(call.key()).tryAcquireOrWaitNanos(call.permits()));
            assertThat(limiter.availablePermits(call.key()))
                    .isEqualTo(alone.get(call.key()).availablePermits());
        }
        long inDebt = alone.values().stream()
                .filter(bucket -> bucket.tryAcquireOrWaitNanos(3) != 0)
                .count();
        assertThat(limiter.size()).isEqualTo((int) inDebt);
    }

    @Property(edgeCases = EdgeCasesMode.NONE)
    void without_room_the_bucket_that_is_closest_to_full_is_forgiven_and_no_other(
            @ForAll("calls") List<Call> calls, @ForAll @IntRange(min = 1, max = 8) int maximum, @ForAll long origin) {
        SettableClock clock = new SettableClock(origin);
        KeyedRateLimiter<Integer> limiter =
                KeyedRateLimiter.of("l", config -> config.limit(LIMIT).maxKeys(maximum), clock.environment());
        Model model = new Model(maximum);
        for (Call call : calls) {
            clock.set(clock.nanoTime() + call.quarters() * QUARTER);
            model.now = model.now.add(BigInteger.valueOf(call.quarters()));
            // Where two are equally close either may be forgiven; make the model follow.
            boolean admitted = limiter.tryAcquireOrWaitNanos(call.key(), call.permits()) == 0;
            assertThat(admitted).isEqualTo(model.acquire(call.key(), call.permits(), limiter));
            if (call.permits() == 4) { // not each time, because being asked makes it tidy up
                assertThat(limiter.size()).isEqualTo(model.fullAt.size()).isLessThanOrEqualTo(maximum);
            }
        }
        assertThat(limiter.size()).isEqualTo(model.fullAt.size());
    }

    @Property(edgeCases = EdgeCasesMode.NONE, tries = 100)
    void with_room_for_hundreds_of_keys_each_is_limited_as_if_it_were_alone(@ForAll long seed, @ForAll long origin) {
        SplittableRandom random = new SplittableRandom(seed);
        SettableClock clock = new SettableClock(origin);
        KeyedRateLimiter<String> limiter =
                KeyedRateLimiter.of("l", config -> config.limit(LIMIT).maxKeys(300), clock.environment());
        Map<Integer, RateLimiter> alone = new HashMap<>();
        for (int step = 0; step < 3_000; step++) {
            clock.set(clock.nanoTime() + (random.nextInt(500) == 0 ? 3 * 4 * QUARTER : random.nextLong(QUARTER / 16)));
            int key = random.nextInt(300);
            RateLimiter own = alone.computeIfAbsent(key, k -> RateLimiter.of("l", LIMIT, clock.environment()));
            int permits = 1 + random.nextInt(4);
            assertThat(limiter.tryAcquireOrWaitNanos("key " + key, permits))
                    .isEqualTo(own.tryAcquireOrWaitNanos(permits));
            assertThat(limiter.availablePermits("key " + key)).isEqualTo(own.availablePermits());
        }
        long inDebt = alone.values().stream()
                .filter(bucket -> bucket.tryAcquireOrWaitNanos(3) != 0)
                .count();
        assertThat(limiter.size()).isEqualTo((int) inDebt);
    }

    /** All steps of the clock together, forwards, are the time in which permits come back. */
    @Property(edgeCases = EdgeCasesMode.NONE, tries = 200)
    void a_clock_that_jumps_makes_no_permits(@ForAll long seed, @ForAll long origin) {
        SplittableRandom random = new SplittableRandom(seed);
        SettableClock clock = new SettableClock(origin);
        TokenBucketLimit limit =
                random.nextBoolean() ? LIMIT : Limit.perSecond(999_983).burst(3);
        KeyedRateLimiter<Integer> limiter =
                KeyedRateLimiter.of("l", config -> config.limit(limit).maxKeys(40), clock.environment());
        BigInteger forwards = BigInteger.ZERO;
        long[] taken = new long[40];
        for (int step = 0; step < 1_000; step++) {
            if (random.nextInt(3) == 0) {
                long nanos = random.nextLong(12_000_000_000L * LIMIT.permits() / limit.permits());
                long jump = random.nextInt(100) == 0
                        ? -(random.nextLong(Long.MAX_VALUE) >> random.nextInt(62))
                        : random.nextBoolean() ? nanos : -nanos;
                clock.set(clock.nanoTime() + jump);
                forwards = forwards.add(BigInteger.valueOf(Math.max(0, jump)));
            }
            int key = random.nextInt(40);
            int permits = 1 + random.nextInt(3);
            taken[key] += limiter.tryAcquire(key, permits) ? permits : 0;
            BigInteger back =
                    forwards.multiply(BigInteger.valueOf(limit.permits())).divide(ExactBucket.nanos(limit));
            assertThat(BigInteger.valueOf(taken[key])).isLessThanOrEqualTo(back.add(BigInteger.valueOf(3)));
        }
    }

    /** Time in quarters of an interval; at most a number of keys with the time at which each will be full. */
    private static final class Model {
        final Map<Integer, BigInteger> fullAt = new HashMap<>();
        BigInteger now = BigInteger.ZERO;
        private final int maximum;

        Model(int maximum) {
            this.maximum = maximum;
        }

        private void dropFull() {
            fullAt.values().removeIf(time -> time.compareTo(now) <= 0);
        }

        boolean acquire(int key, int permits, KeyedRateLimiter<Integer> limiter) {
            dropFull();
            BigInteger next = fullAt.getOrDefault(key, now).add(BigInteger.valueOf(4L * permits));
            if (next.compareTo(now.add(BigInteger.valueOf(12))) > 0) {
                return false;
            }
            if (!fullAt.containsKey(key) && fullAt.size() == maximum) {
                BigInteger closest =
                        fullAt.values().stream().min(BigInteger::compareTo).orElseThrow();
                Integer forgiven = fullAt.keySet().stream()
                        .filter(held -> fullAt.get(held).equals(closest) && limiter.availablePermits(held) == 3)
                        .findFirst()
                        .orElseThrow(() -> new AssertionError("none of those closest to full was forgiven"));
                fullAt.remove(forgiven);
            }
            fullAt.put(key, next);
            return true;
        }
    }
}

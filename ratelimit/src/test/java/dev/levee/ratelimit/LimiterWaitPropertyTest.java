package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.testing.ManualTime;
import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Histories of calls that wait, give up and come between, beside a queue that is simulated in exact numbers. */
@SuppressWarnings("IntLongMath")
class LimiterWaitPropertyTest {
    private static final List<TokenBucketLimit> LIMITS = List.of(
            Limit.perSecond(100).burst(3),
            Limit.perSecond(7).burst(1),
            Limit.perSecond(700_001).burst(5),
            Limit.of(3, Duration.ofNanos(7)).burst(4),
            Limit.of(1, Duration.ofDays(365)).burst(2));

    @Property(tries = 2000, edgeCases = EdgeCasesMode.NONE)
    void turns_come_when_the_exact_queue_says_so(@ForAll long seed) {
        Random random = new Random(seed);
        TokenBucketLimit limit = LIMITS.get(random.nextInt(LIMITS.size()));
        ManualTime time = ManualTime.startingAt(random.nextBoolean() ? random.nextLong() : Long.MAX_VALUE - 1000);
        RateLimiter limiter = RateLimiter.of("l", limit, time.environment());
        ExactQueue model = new ExactQueue(limit);
        List<Reservation> reservations = new ArrayList<>();
        List<ExactQueue.Place> places = new ArrayList<>();
        long interval = Gcra.of(limit).nanosUntil(Gcra.of(limit).interval, 0);
        for (int step = 0; step < 60; step++) {
            long permits = 1L + random.nextInt((int) limit.burst());
            switch (random.nextInt(6)) {
                case 0, 1 -> {
                    long maxWait = (long) (random.nextDouble() * 8 * interval);
                    long wait = model.waitNanos(permits);
                    try {
                        reservations.add(limiter.reserve(permits, Duration.ofNanos(maxWait)));
                        places.add(model.add(permits));
                        assertThat(wait).isLessThanOrEqualTo(maxWait);
                    } catch (RateLimitedException refusal) {
                        assertThat(wait).isGreaterThan(maxWait).isEqualTo(refusal.retryAfterNanos());
                    }
                }
                case 2 -> {
                    long wait = model.tryAcquire(permits);
                    assertThat(limiter.tryAcquireOrWaitNanos(permits)).isEqualTo(wait);
                }
                case 3 -> {
                    if (!places.isEmpty()) {
                        int chosen = random.nextInt(places.size());
                        if (!reservations.get(chosen).isReady()) {
                            model.leave(places.get(chosen));
                            reservations.get(chosen).cancel();
                        }
                    }
                }
                default -> {
                    long nanos = (long) (random.nextDouble() * random.nextInt(4) * interval);
                    time.advance(Duration.ofNanos(nanos));
                    model.advance(nanos);
                }
            }
            for (int i = 0; i < places.size(); i++) {
                assertThat(reservations.get(i).isReady()).isEqualTo(places.get(i).isAdmitted);
                assertThat(reservations.get(i).waitNanos()).isEqualTo(model.waitNanos(places.get(i)));
            }
            assertThat(limiter.waiting()).isEqualTo(model.waiting());
        }
    }

    /** First come first served, at an {@link ExactBucket}. */
    private static final class ExactQueue {
        private final TokenBucketLimit limit;
        private final List<Place> queue = new ArrayList<>();
        private final ExactBucket bucket;
        private BigInteger now = BigInteger.ZERO;

        ExactQueue(TokenBucketLimit limit) {
            this.limit = limit;
            this.bucket = ExactBucket.asked(limit);
        }

        private static final class Place {
            final long permits;
            boolean isAdmitted;

            Place(long permits) {
                this.permits = permits;
            }
        }

        int waiting() {
            return queue.size();
        }

        void advance(long nanos) {
            serve(now.add(BigInteger.valueOf(nanos)));
        }

        private void serve(BigInteger until) {
            while (!queue.isEmpty()) {
                BigInteger turn = now.add(BigInteger.valueOf(bucket.peek(now, queue.get(0).permits)));
                if (turn.compareTo(until) > 0) {
                    break;
                }
                now = turn;
                Place first = queue.remove(0);
                bucket.takeOrWait(now, first.permits);
                first.isAdmitted = true;
            }
            now = until;
        }

        Place add(long permits) {
            Place place = new Place(permits);
            queue.add(place);
            serve(now);
            return place;
        }

        void leave(Place place) {
            queue.remove(place);
            serve(now);
        }

        long tryAcquire(long permits) {
            return queue.isEmpty() ? bucket.takeOrWait(now, permits) : waitNanos(permits);
        }

        /** How long a call would have to wait that comes now. */
        long waitNanos(long permits) {
            Place place = new Place(permits);
            queue.add(place);
            long wait = waitNanos(place);
            queue.remove(place);
            return wait;
        }

        long waitNanos(Place place) {
            ExactBucket planned = bucket.copy();
            BigInteger at = now;
            for (Place next : queue) {
                at = at.add(BigInteger.valueOf(planned.peek(at, next.permits)));
                planned.takeOrWait(at, next.permits);
                if (next == place) {
                    return at.subtract(now).longValueExact();
                }
            }
            return 0;
        }

        @Override
        public String toString() {
            return limit + " with " + queue.size();
        }
    }
}

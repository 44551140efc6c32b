package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.testing.ManualTime;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Calls that wait for a key whose limit is changed meanwhile. */
class WaitingForKeysTest {
    private static final Duration LONG = Duration.ofDays(1);

    private final ManualTime time = new ManualTime();
    private final RateLimiter requests = RateLimiter.of("requests", Limit.perSecond(1_000), time.environment());
    private final Map<String, TokenBucketLimit> plans = new ConcurrentHashMap<>(Map.of(
            "a", Limit.of(2, Duration.ofHours(2)),
            "b", Limit.of(2, Duration.ofHours(2))));
    private final KeyedRateLimiter<String> tenants =
            KeyedRateLimiter.of("tenants", config -> config.limits(plans::get), time.environment());

    private Permits needed(String tenant, long permits) {
        return Permits.of(requests, 1).and(tenants, tenant, permits);
    }

    private static boolean isAdmitted(CompletableFuture<@Nullable Void> future) {
        return future.isDone() && !future.isCompletedExceptionally();
    }

    private static Throwable failure(CompletableFuture<@Nullable Void> future) {
        assertThat(future).isCompletedExceptionally();
        return future.handle((nothing, thrown) -> thrown).join();
    }

    @Test
    void a_larger_limit_lets_it_move_up_as_soon_as_a_call_of_the_key_has_it() {
        assertThat(tenants.tryAcquire("a", 2)).isTrue();
        CompletableFuture<@Nullable Void> waiting = needed("a", 1).acquireAsync(LONG);
        Reservation behind = needed("a", 2).reserve(LONG);
        assertThat(behind.waitNanos()).isEqualTo(Duration.ofHours(3).toNanos());
        plans.put("a", Limit.of(4, Duration.ofMinutes(4)));
        assertThat(tenants.availablePermits("b")).isEqualTo(2);
        time.runReady();
        assertThat(waiting).as("no call of the key has come").isNotDone();
        assertThat(tenants.availablePermits("a"))
                .as("two of four, of which the first takes one")
                .isEqualTo(1);
        time.runReady();
        assertThat(isAdmitted(waiting)).isTrue();
        assertThat(behind.waitNanos()).isEqualTo(Duration.ofMinutes(1).toNanos());
        time.advance(Duration.ofMinutes(1));
        assertThat(behind.isReady()).isTrue();
        assertThat(requests.availablePermits()).isEqualTo(999);
    }

    @Test
    void a_call_that_waits_for_the_key_too_brings_the_limit() {
        tenants.tryAcquire("a", 2);
        CompletableFuture<@Nullable Void> first = needed("a", 1).acquireAsync(LONG);
        plans.put("a", Limit.of(4, Duration.ofMinutes(4)));
        CompletableFuture<@Nullable Void> second = needed("a", 1).acquireAsync(LONG);
        time.runReady();
        assertThat(isAdmitted(first)).isTrue();
        assertThat(isAdmitted(second)).isTrue();
        assertThat(tenants.availablePermits("a")).isZero();
    }

    @Test
    void a_limit_that_never_has_as_many_refuses_it_wherever_it_stands() {
        tenants.tryAcquire("a", 2);
        CompletableFuture<@Nullable Void> first = needed("b", 2).acquireAsync(LONG);
        assertThat(isAdmitted(first)).isTrue();
        CompletableFuture<@Nullable Void> head = needed("b", 1).acquireAsync(LONG);
        CompletableFuture<@Nullable Void> large = needed("a", 2).acquireAsync(LONG);
        CompletableFuture<@Nullable Void> small = needed("a", 1).acquireAsync(LONG);
        plans.put("a", Limit.of(1, Duration.ofHours(1)));
        assertThat(tenants.tryAcquire("a", 2)).isFalse();
        time.runReady();
        assertThat(failure(large))
                .isInstanceOfSatisfying(
                        RateLimitedException.class,
                        refusal -> assertThat(refusal.retryAfterNanos()).isEqualTo(RateLimiter.NEVER));
        assertThat(head).isNotDone();
        assertThat(small).isNotDone();
        time.advance(Duration.ofHours(1));
        assertThat(isAdmitted(head)).isTrue();
        assertThat(isAdmitted(small)).isTrue();
    }

    @Test
    void a_smaller_limit_makes_its_turn_later_and_refuses_what_would_come_too_late() {
        tenants.tryAcquire("a", 2);
        CompletableFuture<@Nullable Void> patient = needed("a", 1).acquireAsync(LONG);
        CompletableFuture<@Nullable Void> bounded = needed("a", 1).acquireAsync(Duration.ofHours(3));
        plans.put("a", Limit.of(2, Duration.ofHours(4)));
        tenants.settle("a", 0);
        time.runReady();
        assertThat(failure(bounded)).isInstanceOf(RateLimitedException.class);
        time.advance(Duration.ofHours(2).minusNanos(1));
        assertThat(patient).isNotDone();
        time.advance(Duration.ofNanos(1));
        assertThat(isAdmitted(patient)).isTrue();
        assertThat(time.pendingTimers()).isZero();
    }

    @Test
    void a_thread_that_is_parked_is_woken() {
        tenants.tryAcquire("a", 2);
        List<Duration> admitted = new ArrayList<>();
        time.start(() -> {
            try {
                needed("a", 1).acquire(LONG);
                admitted.add(time.elapsed());
            } catch (InterruptedException interrupt) {
                throw new AssertionError(interrupt);
            }
        });
        time.runReady();
        time.advance(Duration.ofSeconds(1));
        plans.put("a", Limit.perSecond(1_000));
        tenants.tryAcquire("a");
        time.runReady();
        assertThat(admitted).containsExactly(Duration.ofSeconds(1));
    }

    @Test
    void what_is_given_back_after_a_change_does_not_bring_the_old_limit_back() {
        Reservation reservation = needed("a", 2).reserve(LONG);
        plans.put("a", Limit.of(100, Duration.ofHours(100)));
        assertThat(tenants.tryAcquire("a", 50)).isTrue();
        assertThat(reservation.cancel()).isTrue();
        assertThat(tenants.availablePermits("a")).isEqualTo(50);
    }

    @Test
    void keys_of_the_same_content_are_one_in_a_plan_and_in_what_is_needed() {
        KeyedRateLimiter<byte[]> files =
                KeyedRateLimiter.of("files", Limit.of(1, Duration.ofHours(1)), time.environment());
        byte[] one = "x".getBytes(StandardCharsets.UTF_8);
        byte[] same = "x".getBytes(StandardCharsets.UTF_8);
        assertThat(files.tryAcquire(one)).isTrue();
        Permits.of(requests, 1).and(files, one, 1).acquireAsync(LONG);
        Reservation second = Permits.of(requests, 1).and(files, same, 1).reserve(LONG);
        assertThat(second.waitNanos()).isEqualTo(Duration.ofHours(2).toNanos());
        assertThatThrownBy(() -> Permits.of(files, one, 1).and(files, same, 1))
                .isInstanceOf(IllegalArgumentException.class);
    }

    /** After each call of the key: what could be admitted is not waiting, and what never could is refused. */
    @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
    void none_waits_that_could_be_admitted_by_the_limit_of_the_last_call(@ForAll long seed) {
        new WaitingForKeysTest().history(new Random(seed));
    }

    private void history(Random random) {
        TokenBucketLimit limit = plans.get("a");
        List<Reservation> waiting = new ArrayList<>();
        List<Long> permits = new ArrayList<>();
        for (int step = 0; step < 80; step++) {
            switch (random.nextInt(6)) {
                case 0 -> {
                    limit = Limit.of(1 + random.nextInt(9), Duration.ofSeconds(1 + random.nextInt(5_000)))
                            .burst(1 + random.nextInt(6));
                    plans.put("a", limit);
                }
                case 1, 2 -> {
                    long needed = 1L + random.nextInt((int) limit.burst());
                    waiting.add(needed("a", needed).reserve(Duration.ofDays(10_000)));
                    permits.add(needed);
                }
                case 3 -> {
                    if (!waiting.isEmpty()) {
                        waiting.get(random.nextInt(waiting.size())).cancel();
                    }
                }
                case 4 -> tenants.tryAcquire("a", 1L + random.nextInt(3));
                default -> time.advance(Duration.ofMillis(random.nextInt(3_000_000)));
            }
            long available = tenants.availablePermits("a");
            time.runReady();
            boolean isFirst = true;
            for (int i = 0; i < waiting.size(); i++) {
                CompletableFuture<@Nullable Void> ready = waiting.get(i).whenReady();
                time.runReady();
                if (ready.isDone()) {
                    continue;
                }
                assertThat(permits.get(i)).isLessThanOrEqualTo(limit.burst());
                if (isFirst) {
                    assertThat(permits.get(i)).isGreaterThan(available);
                    assertThat(waiting.get(i).waitNanos())
                            .as("calls of the key alone make its turn later and are not told of")
                            .isBetween(1L, tenants.decide("a", permits.get(i)).retryAfterNanos());
                    isFirst = false;
                }
            }
        }
    }
}

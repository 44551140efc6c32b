package dev.levee.ratelimit.shared;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.TokenBucketLimit;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/**
 * What every store must do. Its tests run in the package of the store. Limits that refill during a test do so within
 * {@link #pass} or not at all, so the tests hold in real time too.
 */
public abstract class QuotaStoreContract {
    /** Does not refill during a test. */
    protected static final TokenBucketLimit TEN = Limit.of(10, Duration.ofHours(10));

    private static final long UNKNOWN = Long.MAX_VALUE;

    private final AtomicLong sequences = new AtomicLong();

    /**
     * The store, the same one all through a test. It has no state of the keys of this test, and has remembered for so
     * long that each key is full.
     */
    protected abstract QuotaStore store();

    /** Lets time pass for the store: at least as much. */
    protected abstract void pass(Duration duration);

    /** Lets the store lose all that it keeps, as a flush of the server does; false if that cannot be. */
    protected boolean forget() {
        return false;
    }

    /** Sets the clock of the server ahead, or back if below zero; false if that cannot be. */
    protected boolean moveClock(Duration by) {
        return false;
    }

    /** Puts something that is not of the store in place of what it keeps of a key of the limiter "api". */
    protected abstract void spoil(String key);

    private static QuotaTerms terms(Limit limit) {
        return new QuotaTerms(limit, 0, 0);
    }

    private static QuotaRequest request(String key, QuotaTerms terms, long used, long needed, long wanted) {
        return new QuotaRequest("api", key, terms, used, UNKNOWN, needed, needed, wanted, UNKNOWN);
    }

    private static QuotaRequest take(String key, long permits) {
        return request(key, terms(TEN), 0, permits, permits);
    }

    private List<QuotaGrant> send(QuotaBatch batch) {
        try {
            return store().take(batch).get(30, TimeUnit.SECONDS);
        } catch (Exception failed) {
            throw new AssertionError(failed);
        }
    }

    private QuotaBatch batch(String node, QuotaRequest... requests) {
        return new QuotaBatch(node, sequences.incrementAndGet(), List.of(requests));
    }

    private QuotaGrant ask(String node, QuotaRequest request) {
        List<QuotaGrant> grants = send(batch(node, request));
        assertThat(grants).hasSize(1);
        return grants.get(0);
    }

    private QuotaGrant ask(QuotaRequest request) {
        return ask("a", request);
    }

    @Nested
    class Permits_ {
        @Test
        void are_there_up_to_the_capacity() {
            QuotaGrant first = ask(take("k", 7));
            QuotaGrant second = ask(take("k", 3));
            QuotaGrant third = ask(take("k", 1));

            assertThat(first.permits()).isEqualTo(7);
            assertThat(first.waitNanos()).isZero();
            assertThat(first.remaining()).isEqualTo(3);
            assertThat(first.sharers()).isEqualTo(1);
            assertThat(first.other()).isNull();
            assertThat(first.conflict()).isFalse();
            assertThat(second.permits()).isEqualTo(3);
            assertThat(second.remaining()).isZero();
            assertThat(third.permits()).isZero();
            assertThat(third.waitNanos())
                    .isBetween(
                            Duration.ofMinutes(50).toNanos(),
                            Duration.ofHours(1).toNanos());
            assertThat(third.resetNanos())
                    .isBetween(
                            Duration.ofHours(9).toNanos(), Duration.ofHours(10).toNanos());
        }

        @Test
        void are_of_each_key_and_limiter() {
            assertThat(ask(take("k", 10)).permits()).isEqualTo(10);
            assertThat(ask(take("l", 10)).permits()).isEqualTo(10);
            assertThat(ask(take("", 10)).permits()).isEqualTo(10);
            assertThat(ask(new QuotaRequest("web", "k", terms(TEN), 0, UNKNOWN, 10, 10, 10, UNKNOWN))
                            .permits())
                    .isEqualTo(10);
        }

        @Test
        void of_keys_with_any_text() {
            String key = "ключ ' \" \\ % { } : 🗝 \n " + "x".repeat(150);

            assertThat(ask(take(key, 10)).permits()).isEqualTo(10);
            assertThat(ask(take(key + "y", 10)).permits()).isEqualTo(10);
            assertThat(ask(take(key, 1)).permits()).isZero();
        }

        @Test
        void fewer_than_needed_are_not_taken() {
            ask(take("k", 8));

            QuotaGrant refused = ask(take("k", 3));

            assertThat(refused.permits()).isZero();
            assertThat(refused.remaining()).isEqualTo(2);
            assertThat(refused.waitNanos())
                    .isBetween(
                            Duration.ofMinutes(50).toNanos(),
                            Duration.ofHours(1).toNanos());
            assertThat(ask(take("k", 2)).permits()).isEqualTo(2);
        }

        @Test
        void more_than_the_limit_ever_has_never_come() {
            QuotaGrant never = ask(take("k", 11));

            assertThat(never.permits()).isZero();
            assertThat(never.waitNanos()).isEqualTo(QuotaGrant.NEVER);
            assertThat(ask(take("k", 10)).permits()).isEqualTo(10);
        }

        @Test
        void as_many_as_are_demanded_are_taken_if_they_are_there() {
            ask(take("k", 4));

            assertThat(ask(new QuotaRequest("api", "k", terms(TEN), 0, UNKNOWN, 1, 20, 20, UNKNOWN))
                            .permits())
                    .isEqualTo(6);
        }

        @Test
        void taken_ahead_are_a_fair_share_of_what_is_left() {
            assertThat(ask("a", request("k", terms(TEN), 0, 1, 1)).permits()).isEqualTo(1);

            QuotaGrant shared = ask("b", request("k", terms(TEN), 0, 1, 100));

            if (shared.sharers() == 2) {
                assertThat(shared.permits()).isEqualTo(1 + 4);
            }
            assertThat(shared.permits()).isBetween(1L, 9L);
            assertThat(shared.remaining()).isEqualTo(9 - shared.permits());
        }

        @Test
        void are_all_for_one_that_shares_with_no_other() {
            assertThat(ask(request("k", terms(TEN), 0, 1, 100)).permits()).isEqualTo(10);
        }

        @Test
        void come_back_with_time() {
            QuotaTerms fast = terms(Limit.of(10, Duration.ofMillis(100)));
            ask(request("k", fast, 0, 10, 10));

            pass(Duration.ofMillis(150));

            QuotaGrant full = ask(request("k", fast, 0, 0, 0));
            assertThat(full.remaining()).isEqualTo(10);
            assertThat(full.permits()).isZero();
            assertThat(full.waitNanos()).isZero();
            assertThat(full.resetNanos()).isZero();
        }

        @Test
        void nothing_is_asked_for() {
            ask(take("k", 10));

            QuotaGrant nothing = ask(take("k", 0));

            assertThat(nothing.permits()).isZero();
            assertThat(nothing.waitNanos()).isZero();
            assertThat(nothing.remaining()).isZero();
        }
    }

    @Nested
    class What_was_used {
        @Test
        void is_taken_whatever_is_there() {
            QuotaGrant debt = ask(request("k", terms(TEN), 25, 0, 0));
            QuotaGrant refused = ask(take("k", 1));

            assertThat(debt.remaining()).isEqualTo(-15);
            assertThat(refused.permits()).isZero();
            assertThat(refused.waitNanos())
                    .isBetween(
                            Duration.ofHours(15).toNanos(), Duration.ofHours(16).toNanos());
            assertThat(refused.resetNanos())
                    .isBetween(
                            Duration.ofHours(24).toNanos(), Duration.ofHours(25).toNanos());
        }

        @Test
        void counts_before_what_is_asked_for() {
            assertThat(ask(request("k", terms(TEN), 9, 2, 2)).permits()).isZero();
            assertThat(ask(request("k", terms(TEN), 0, 1, 1)).permits()).isEqualTo(1);
        }

        @Test
        void is_a_debt_of_many_capacities() {
            ask(request("k", terms(TEN), 640, 0, 0));

            assertThat(ask(request("k", terms(TEN), -630, 0, 0)).remaining()).isBetween(0L, 1L);
        }

        @Test
        void comes_back_up_to_the_capacity() {
            ask(take("k", 10));

            assertThat(ask(request("k", terms(TEN), -4, 0, 0)).remaining()).isEqualTo(4);
            assertThat(ask(request("k", terms(TEN), -100, 0, 0)).remaining()).isEqualTo(10);
            assertThat(ask(take("k", 11)).permits()).isZero();
        }
    }

    @Nested
    class What_comes_back {
        private final QuotaTerms fast = terms(Limit.of(10, Duration.ofMillis(100)));

        @Test
        void late_is_less_by_what_time_has_given() {
            long taken = ask(request("k", fast, 0, 10, 10)).storeNanos();
            pass(Duration.ofMillis(150));
            long before = ask(request("k", fast, 640, 0, 0)).remaining();

            QuotaGrant late = ask(new QuotaRequest("api", "k", fast, -10, taken, 0, 0, 0, UNKNOWN));

            // A real store may refill some milliseconds' worth in between.
            assertThat(late.remaining() - before).isLessThan(10);
        }

        @Test
        void soon_comes_back_whole() {
            long taken = ask(take("k", 10)).storeNanos();

            QuotaGrant soon = ask(new QuotaRequest("api", "k", terms(TEN), -3, taken, 0, 0, 0, UNKNOWN));

            assertThat(soon.remaining()).isBetween(2L, 3L);
        }
    }

    @Nested
    class A_batch {
        @Test
        void decides_each_request_for_itself_and_in_order() {
            List<QuotaGrant> grants = send(batch("a", take("k", 11), take("l", 4), take("m", 10)));

            assertThat(grants).extracting(QuotaGrant::permits).containsExactly(0L, 4L, 10L);
            assertThat(grants).extracting(QuotaGrant::remaining).containsExactly(10L, 6L, 0L);
        }

        @Test
        void has_many_requests() {
            List<QuotaRequest> requests = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                requests.add(take("k" + i, i % 11 + 1));
            }
            List<QuotaGrant> grants = send(new QuotaBatch("a", sequences.incrementAndGet(), requests));

            assertThat(grants).hasSize(200);
            for (int i = 0; i < 200; i++) {
                assertThat(grants.get(i).permits()).isEqualTo(i % 11 == 10 ? 0 : i % 11 + 1);
            }
        }

        @Test
        void of_which_one_key_cannot_be_used_decides_about_the_others() {
            ask(take("l", 1));
            spoil("l");

            List<QuotaGrant> grants = send(batch("a", take("k", 4), take("l", 4), take("m", 10)));

            assertThat(grants).extracting(QuotaGrant::permits).containsExactly(4L, 0L, 10L);
            assertThat(grants.get(0).failure()).isNull();
            assertThat(grants.get(1).failure()).isNotNull().message().isNotBlank();
            assertThat(grants.get(2).failure()).isNull();
            assertThat(ask(take("k", 0)).remaining()).isEqualTo(6);
            assertThat(ask("b", take("l", 1)).failure()).isNotNull();
        }

        @Test
        void that_is_sent_again_is_answered_again_and_takes_nothing() {
            assumeTrue(store().replayNanos() > 0);
            QuotaBatch batch = batch("a", take("k", 4), request("l", terms(TEN), 5, 2, 3));

            List<QuotaGrant> first = send(batch);
            List<QuotaGrant> second = send(batch);
            List<QuotaGrant> third = send(batch);

            assertThat(second).extracting(QuotaGrant::permits).isEqualTo(List.of(4L, 3L));
            assertThat(first).extracting(QuotaGrant::permits).isEqualTo(List.of(4L, 3L));
            assertThat(third).extracting(QuotaGrant::permits).isEqualTo(List.of(4L, 3L));
            assertThat(ask("b", take("k", 0)).remaining()).isEqualTo(6);
            assertThat(ask("b", take("l", 0)).remaining()).isEqualTo(2);
        }

        @Test
        void that_was_refused_is_refused_again() {
            assumeTrue(store().replayNanos() > 0);
            ask("b", take("k", 9));
            QuotaBatch batch = batch("a", take("k", 2));

            assertThat(send(batch).get(0).permits()).isZero();
            ask("b", request("k", terms(TEN), -9, 0, 0));

            assertThat(send(batch).get(0).permits()).isZero();
            assertThat(ask("b", take("k", 10)).permits()).isEqualTo(10);
        }

        @Test
        void that_comes_late_takes_nothing() {
            assumeTrue(store().replayNanos() > 0);
            QuotaBatch late = batch("a", request("k", terms(TEN), 2, 4, 4));
            ask("a", take("k", 1));

            assertThat(send(late).get(0).permits()).isZero();
            assertThat(ask("b", take("k", 0)).remaining()).isEqualTo(9);
        }

        @Test
        void of_another_node_with_the_same_sequence_is_another_one() {
            send(new QuotaBatch("a", 1L << 40, List.of(take("k", 4))));

            assertThat(send(new QuotaBatch("b", 1L << 40, List.of(take("k", 4))))
                            .get(0)
                            .permits())
                    .isEqualTo(4);
            assertThat(ask("c", take("k", 0)).remaining()).isEqualTo(2);
        }

        @Test
        void that_was_carried_out_for_half_of_its_keys_is_completed() {
            assumeTrue(store().replayNanos() > 0);
            long sequence = sequences.incrementAndGet();
            send(new QuotaBatch("a", sequence, List.of(take("k", 4))));

            List<QuotaGrant> both = send(new QuotaBatch("a", sequence, List.of(take("k", 4), take("l", 4))));

            assertThat(both).extracting(QuotaGrant::permits).containsExactly(4L, 4L);
            assertThat(ask("b", take("k", 0)).remaining()).isEqualTo(6);
            assertThat(ask("b", take("l", 0)).remaining()).isEqualTo(6);
        }
    }

    @Nested
    class Terms_ {
        private final QuotaTerms base = new QuotaTerms(TEN, 5, 3);

        @Test
        void of_the_first_request_apply() {
            assertThat(ask("a", request("k", base, 0, 1, 1)).other()).isNull();
            assertThat(ask("b", request("k", base, 0, 1, 1)).other()).isNull();
        }

        @Test
        void of_a_higher_revision_apply_with_what_was_used() {
            ask("a", request("k", base, 0, 6, 6));
            QuotaTerms higher = new QuotaTerms(Limit.of(20, Duration.ofHours(20)), 5, 4);

            QuotaGrant adopted = ask("b", request("k", higher, 0, 0, 0));
            QuotaGrant told = ask("a", request("k", base, 0, 1, 1));

            assertThat(adopted.other()).isNull();
            assertThat(adopted.remaining()).isEqualTo(14);
            assertThat(told.conflict()).isFalse();
            assertThat(told.other()).isEqualTo(higher);
            assertThat(told.permits()).isEqualTo(1);
            assertThat(told.remaining()).isEqualTo(13);
        }

        @Test
        void of_a_lower_capacity_leave_a_debt() {
            ask("a", request("k", base, 0, 8, 8));

            QuotaGrant adopted = ask("a", request("k", new QuotaTerms(TEN.burst(5), 5, 4), 0, 1, 1));

            assertThat(adopted.permits()).isZero();
            assertThat(adopted.remaining()).isEqualTo(-3);
        }

        @Test
        void that_contradict_are_a_conflict_and_nothing_is_taken() {
            ask("a", request("k", base, 0, 1, 1));

            QuotaGrant limit = ask("b", request("k", new QuotaTerms(TEN.burst(9), 5, 3), 3, 1, 1));
            QuotaGrant life = ask("b", request("k", new QuotaTerms(TEN, 6, 3), 3, 1, 1));

            assertThat(limit.conflict()).isTrue();
            assertThat(limit.permits()).isZero();
            assertThat(limit.other()).isEqualTo(base);
            assertThat(life.conflict()).isTrue();
            assertThat(life.other()).isEqualTo(base);
            assertThat(ask("a", request("k", base, 0, 0, 0)).remaining()).isEqualTo(9);
        }

        @Test
        void that_the_store_cannot_keep_are_refused() {
            store().check(TEN);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> store().check(Limit.warmUp(10, Duration.ofSeconds(1), Duration.ofSeconds(1))))
                    .withMessageContaining("limit");
        }
    }

    @Nested
    class A_sliding_window {
        private final Limit limit = Limit.slidingWindow(10, Duration.ofHours(10));

        private boolean isSupported() {
            try {
                store().check(limit);
                return true;
            } catch (IllegalArgumentException notSupported) {
                return false;
            }
        }

        @Test
        void admits_its_permits_and_no_more() {
            assumeTrue(isSupported());

            assertThat(ask(request("k", terms(limit), 0, 4, 4)).permits()).isEqualTo(4);
            assertThat(ask("b", request("k", terms(limit), 0, 6, 6)).permits()).isEqualTo(6);
            QuotaGrant refused = ask(request("k", terms(limit), 0, 1, 1));
            assertThat(refused.permits()).isZero();
            assertThat(refused.waitNanos())
                    .isPositive()
                    .isLessThan(Duration.ofHours(20).toNanos());
            assertThat(ask(request("k", terms(limit), 0, 11, 11)).waitNanos()).isEqualTo(QuotaGrant.NEVER);
        }
    }

    @Nested
    class Time_ {
        @Test
        void bounds_what_is_taken_at_once_by_many() {
            List<CompletableFuture<List<QuotaGrant>>> answers = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                answers.add(store().take(batch("node" + i, take("k", 1))));
            }
            long taken = answers.stream()
                    .mapToLong(answer ->
                            answer.orTimeout(30, TimeUnit.SECONDS).join().get(0).permits())
                    .sum();

            assertThat(taken).isEqualTo(10);
        }

        @Test
        void of_the_store_grows() {
            QuotaGrant first = ask(take("k", 1));
            pass(Duration.ofMillis(20));
            QuotaGrant second = ask(take("k", 1));

            assertThat(second.storeNanos() - first.storeNanos()).isGreaterThanOrEqualTo(10_000_000);
        }

        @Test
        void passes_no_faster_than_at_the_node() {
            QuotaTerms fast = terms(Limit.of(10, Duration.ofMillis(100)));
            QuotaGrant first = ask(request("k", fast, 0, 10, 10));

            pass(Duration.ofMillis(150));
            QuotaGrant second =
                    ask(new QuotaRequest("api", "k", fast, 0, UNKNOWN, 1, 1, 10, first.storeNanos() + 30_000_000));

            assertThat(second.permits()).isBetween(2L, 3L);
            assertThat(second.storeNanos()).isLessThanOrEqualTo(first.storeNanos() + 30_000_000);
        }

        @Test
        void that_is_set_ahead_mints_nothing() {
            QuotaGrant first = ask(take("k", 10));
            assumeTrue(moveClock(Duration.ofDays(1)));

            QuotaGrant second = ask(
                    "b",
                    new QuotaRequest(
                            "api", "k", terms(TEN), 0, UNKNOWN, 1, 1, 1, first.storeNanos() + 60_000_000_000L));

            assertThat(second.permits()).isZero();
        }

        @Test
        void that_is_set_back_freezes_nothing() {
            QuotaTerms fast = terms(Limit.of(10, Duration.ofMillis(100)));
            QuotaGrant first = ask(request("k", fast, 0, 10, 10));
            assumeTrue(moveClock(Duration.ofDays(-1)));

            ask(request("k", fast, 0, 0, 0));
            pass(Duration.ofMillis(150));

            QuotaGrant second = ask(request("k", fast, 0, 1, 10));
            assertThat(second.permits()).isEqualTo(10);
            assertThat(second.storeNanos()).isGreaterThan(first.storeNanos());
        }
    }

    @Nested
    class A_store_that_forgets {
        @Test
        void begins_with_nothing() {
            ask(take("k", 2));
            assumeTrue(forget());

            QuotaGrant known = ask(take("k", 1));
            QuotaGrant unknown = ask(take("l", 1));

            assertThat(known.permits()).isZero();
            assertThat(unknown.permits()).isZero();
        }

        @Test
        void refills() {
            QuotaTerms fast = terms(Limit.of(10, Duration.ofMillis(100)));
            ask(request("k", fast, 0, 1, 1));
            assumeTrue(forget());
            ask(request("k", fast, 0, 0, 0));

            pass(Duration.ofMillis(150));

            assertThat(ask(request("k", fast, 0, 10, 10)).permits()).isEqualTo(10);
            assertThat(ask(request("l", fast, 0, 10, 10)).permits()).isEqualTo(10);
        }
    }
}

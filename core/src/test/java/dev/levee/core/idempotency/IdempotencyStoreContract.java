package dev.levee.core.idempotency;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.idempotency.IdempotencyStore.Claim;
import dev.levee.core.idempotency.IdempotencyStore.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** What every store must do. Its tests run in the package of the store. */
public abstract class IdempotencyStoreContract {
    /** How long a store under test keeps a key. */
    public static final Duration KEEP = Duration.ofHours(24);

    private static final Duration LEASE = Duration.ofMinutes(1);
    private static final Duration MOMENT = Duration.ofSeconds(5);

    /** The store, empty at the beginning of a test and the same one all through it. It keeps keys for {@link #KEEP}. */
    protected abstract IdempotencyStore<String> store();

    /** Lets time pass for the store. */
    protected abstract void pass(Duration duration);

    private Claim<String> claim(String key, String owner) {
        return store().claim(key, "print", owner, LEASE.toNanos());
    }

    private Status status(String key, String owner) {
        return claim(key, owner).status();
    }

    private void assertRecorded(Claim<String> claim, String result) {
        assertThat(claim.status()).isEqualTo(Status.RECORDED);
        assertThat(claim.failure()).isNull();
        assertThat(claim.result()).isEqualTo(result);
    }

    @Nested
    class An_absent_key {
        @Test
        void is_owned_by_the_first_that_claims_it() {
            assertThat(status("k", "a")).isEqualTo(Status.OWNED);

            Claim<String> second = claim("k", "b");

            assertThat(second.status()).isEqualTo(Status.IN_PROGRESS);
            assertThat(second.leaseNanos()).isBetween(1L, LEASE.toNanos());
        }

        @Test
        void has_nothing_to_do_with_other_keys() {
            status("k", "a");

            assertThat(status("l", "b")).isEqualTo(Status.OWNED);
            assertThat(status("K", "c")).isEqualTo(Status.OWNED);
        }

        @Test
        void can_have_any_text_as_key_and_fingerprint() {
            String key = "ключ ' \" \\ % 🗝 " + "x".repeat(150);

            assertThat(store().claim(key, "y".repeat(5_000), "a", 1_000_000_000).status())
                    .isEqualTo(Status.OWNED);
            assertThat(store().record(key, "a", "done", null)).isTrue();
            assertRecorded(store().claim(key, "y".repeat(5_000), "b", 1_000_000_000), "done");
            assertThat(store().claim(key, "y".repeat(4_999), "b", 1_000_000_000).status())
                    .isEqualTo(Status.MISMATCH);
        }

        @Test
        void cannot_be_settled_by_anybody() {
            assertThat(store().record("k", "a", "done", null)).isFalse();
            assertThat(store().unknown("k", "a")).isFalse();
            assertThat(store().renew("k", "a", 1)).isFalse();
            assertThat(status("k", "b")).isEqualTo(Status.OWNED);
        }
    }

    @Nested
    class A_key_in_progress {
        @Test
        void is_refused_to_another_fingerprint() {
            status("k", "a");

            assertThat(store().claim("k", "other", "b", LEASE.toNanos()).status())
                    .isEqualTo(Status.MISMATCH);
            assertThat(status("k", "c")).isEqualTo(Status.IN_PROGRESS);
        }

        @Test
        void may_be_claimed_again_by_its_owner_that_did_not_get_the_result() {
            assertThat(status("k", "a")).isEqualTo(Status.OWNED);

            assertThat(status("k", "a")).isEqualTo(Status.OWNED);
        }

        @Test
        void is_settled_by_its_owner_only() {
            status("k", "a");

            assertThat(store().record("k", "b", "stolen", null)).isFalse();
            assertThat(store().forget("k", "b")).isFalse();
            assertThat(store().unknown("k", "b")).isFalse();
            assertThat(store().renew("k", "b", 1)).isFalse();
            assertThat(status("k", "c")).isEqualTo(Status.IN_PROGRESS);
        }

        @Test
        void is_absent_again_when_forgotten() {
            status("k", "a");

            assertThat(store().forget("k", "a")).isTrue();
            assertThat(store().forget("k", "a")).as("repeated").isTrue();
            assertThat(store().claim("k", "another", "b", LEASE.toNanos()).status())
                    .isEqualTo(Status.OWNED);
            assertThat(store().record("k", "a", "late", null)).isFalse();
        }

        @Test
        void has_less_lease_left_as_time_passes() {
            status("k", "a");

            pass(LEASE.minus(MOMENT));

            assertThat(claim("k", "b").leaseNanos()).isBetween(1L, MOMENT.toNanos());
        }

        @Test
        void is_of_unknown_outcome_when_its_lease_has_ended() {
            status("k", "a");
            pass(LEASE);

            assertThat(status("k", "b")).isEqualTo(Status.OWNED_UNKNOWN);
            assertThat(status("k", "c")).isEqualTo(Status.IN_PROGRESS);
        }

        @Test
        void can_be_recorded_after_its_lease_as_long_as_no_call_has_taken_over() {
            status("k", "a");
            pass(LEASE.multipliedBy(3));

            assertThat(store().record("k", "a", "late but true", null)).isTrue();

            assertRecorded(claim("k", "b"), "late but true");
        }

        @Test
        void is_kept_as_unknown_after_its_lease_and_then_forgotten() {
            status("k", "a");
            pass(LEASE.plus(KEEP).minus(MOMENT));
            assertThat(store().claim("k", "other", "b", LEASE.toNanos()).status())
                    .isEqualTo(Status.MISMATCH);

            pass(MOMENT);

            assertThat(store().claim("k", "other", "b", LEASE.toNanos()).status())
                    .isEqualTo(Status.OWNED);
        }

        @Test
        void has_a_lease_of_its_own_after_a_renewal() {
            status("k", "a");
            pass(LEASE.minus(MOMENT));

            assertThat(store().renew("k", "a", LEASE.toNanos())).isTrue();
            pass(LEASE.minus(MOMENT));

            assertThat(status("k", "b")).isEqualTo(Status.IN_PROGRESS);
        }

        @Test
        void can_be_leased_for_ever() {
            assertThat(store().claim("k", "print", "a", Long.MAX_VALUE / 2).status())
                    .isEqualTo(Status.OWNED);
            pass(Duration.ofDays(400));

            assertThat(status("k", "b")).isEqualTo(Status.IN_PROGRESS);
        }
    }

    @Nested
    class A_recorded_key {
        @Test
        void answers_every_claim_with_the_result() {
            status("k", "a");

            assertThat(store().record("k", "a", "done", null)).isTrue();

            assertRecorded(claim("k", "b"), "done");
            assertRecorded(claim("k", "c"), "done");
        }

        @Test
        void may_hold_null_and_nothing() {
            status("n", "a");
            store().record("n", "a", null, null);
            status("e", "a");
            store().record("e", "a", "", null);

            assertRecorded(claim("n", "b"), null);
            assertRecorded(claim("e", "b"), "");
        }

        @Test
        void may_hold_a_failure() {
            status("k", "a");

            assertThat(store().record("k", "a", null, new IllegalStateException("declined")))
                    .isTrue();

            Claim<String> claim = claim("k", "b");
            assertThat(claim.status()).isEqualTo(Status.RECORDED);
            assertThat(claim.failure()).isNotNull().hasMessageContaining("declined");
        }

        @Test
        void may_hold_much() {
            String much = "€".repeat(100_000);
            status("k", "a");
            store().record("k", "a", much, null);

            assertRecorded(claim("k", "b"), much);
        }

        @Test
        void is_recorded_once_whatever_comes_later() {
            status("k", "a");
            pass(LEASE);
            status("k", "b");
            assertThat(store().record("k", "b", "second", null)).isTrue();

            assertThat(store().record("k", "a", "first", null)).isFalse();
            assertThat(store().unknown("k", "a")).isFalse();
            assertThat(store().forget("k", "a")).isFalse();
            assertThat(store().forget("k", "b")).isFalse();
            assertThat(store().unknown("k", "b")).isFalse();
            assertThat(store().renew("k", "b", 1)).isFalse();

            assertRecorded(claim("k", "c"), "second");
        }

        @Test
        void says_so_again_to_an_owner_that_did_not_get_it() {
            status("k", "a");

            assertThat(store().record("k", "a", "done", null)).isTrue();
            assertThat(store().record("k", "a", "done", null)).isTrue();
        }

        @Test
        void is_refused_to_another_fingerprint() {
            status("k", "a");
            store().record("k", "a", "done", null);

            assertThat(store().claim("k", "other", "b", LEASE.toNanos()).status())
                    .isEqualTo(Status.MISMATCH);
        }

        @Test
        void is_kept_for_its_time_and_then_absent() {
            status("k", "a");
            store().record("k", "a", "done", null);
            pass(KEEP.minus(MOMENT));
            assertRecorded(claim("k", "b"), "done");

            pass(MOMENT);

            assertThat(store().claim("k", "other", "c", LEASE.toNanos()).status())
                    .isEqualTo(Status.OWNED);
        }
    }

    @Nested
    class A_key_of_unknown_outcome {
        @Test
        void is_owned_by_one_that_has_to_find_out() {
            status("k", "a");

            assertThat(store().unknown("k", "a")).isTrue();
            assertThat(store().unknown("k", "a")).as("repeated").isTrue();

            assertThat(status("k", "b")).isEqualTo(Status.OWNED_UNKNOWN);
            assertThat(status("k", "b")).as("repeated").isEqualTo(Status.OWNED_UNKNOWN);
            assertThat(status("k", "c")).isEqualTo(Status.IN_PROGRESS);
        }

        @Test
        void can_be_recorded_late_by_the_one_that_left_it() {
            status("k", "a");
            store().unknown("k", "a");

            assertThat(store().record("k", "a", "late but true", null)).isTrue();

            assertRecorded(claim("k", "b"), "late but true");
        }

        @Test
        void cannot_be_settled_by_the_one_that_left_it_once_it_is_claimed() {
            status("k", "a");
            store().unknown("k", "a");
            status("k", "b");

            assertThat(store().record("k", "a", "late", null)).isFalse();
            assertThat(store().forget("k", "a")).isFalse();
            assertThat(store().unknown("k", "a")).isFalse();
            assertThat(store().renew("k", "a", 1)).isFalse();
            assertThat(status("k", "c")).isEqualTo(Status.IN_PROGRESS);
        }

        @Test
        void is_unknown_again_when_the_one_that_checks_crashes() {
            status("k", "a");
            store().unknown("k", "a");
            status("k", "b");
            pass(LEASE);

            assertThat(status("k", "c")).isEqualTo(Status.OWNED_UNKNOWN);
            assertThat(store().renew("k", "b", LEASE.toNanos())).isFalse();
        }

        @Test
        void runs_under_a_new_lease_after_it_was_found_not_done() {
            status("k", "a");
            store().unknown("k", "a");
            status("k", "b");

            assertThat(store().renew("k", "b", LEASE.toNanos())).isTrue();
            assertThat(status("k", "b")).isEqualTo(Status.OWNED);
            assertThat(store().record("k", "b", "done", null)).isTrue();

            assertRecorded(claim("k", "c"), "done");
        }

        @Test
        void is_refused_to_another_fingerprint() {
            status("k", "a");
            store().unknown("k", "a");

            assertThat(store().claim("k", "other", "b", LEASE.toNanos()).status())
                    .isEqualTo(Status.MISMATCH);
        }

        @Test
        void is_kept_for_its_time_and_then_absent() {
            status("k", "a");
            store().unknown("k", "a");
            pass(KEEP.minus(MOMENT));
            assertThat(store().claim("k", "other", "b", LEASE.toNanos()).status())
                    .isEqualTo(Status.MISMATCH);

            pass(MOMENT);

            assertThat(status("k", "b")).isEqualTo(Status.OWNED);
        }
    }

    @Nested
    class Many_threads {
        @Test
        void own_a_key_one_at_a_time() throws Exception {
            contend((key, owner) -> status(key, owner) == Status.OWNED);
        }

        @Test
        void take_over_a_key_one_at_a_time() throws Exception {
            for (int round = 0; round < ROUNDS; round++) {
                status("k" + round, "gone");
                store().unknown("k" + round, "gone");
            }

            contend((key, owner) -> status(key, owner) == Status.OWNED_UNKNOWN);
        }

        @Test
        void take_over_a_key_or_renew_it_but_not_both() throws Exception {
            for (int round = 0; round < ROUNDS; round++) {
                status("k" + round, "old");
            }
            pass(LEASE);

            contend((key, owner) -> owner.startsWith("0-")
                    ? store().renew(key, "old", LEASE.toNanos())
                    : status(key, owner) == Status.OWNED_UNKNOWN);
        }

        @Test
        void take_over_a_key_or_record_it_but_not_both() throws Exception {
            for (int round = 0; round < ROUNDS; round++) {
                status("k" + round, "old");
            }
            pass(LEASE);

            contend((key, owner) -> owner.startsWith("0-")
                    ? store().record(key, "old", "late", null)
                    : status(key, owner) == Status.OWNED_UNKNOWN);
        }

        private static final int THREADS = 4;
        private static final int ROUNDS = 40;

        interface Attempt {
            boolean wins(String key, String owner);
        }

        /** Of all threads that try a key at the same moment exactly one wins. */
        private void contend(Attempt attempt) throws Exception {
            CyclicBarrier barrier = new CyclicBarrier(THREADS);
            ExecutorService threads = Executors.newFixedThreadPool(THREADS);
            try {
                List<Future<boolean[]>> futures = new ArrayList<>();
                for (int number = 0; number < THREADS; number++) {
                    int thread = number;
                    futures.add(threads.submit(() -> {
                        boolean[] won = new boolean[ROUNDS];
                        for (int round = 0; round < ROUNDS; round++) {
                            barrier.await();
                            won[round] = attempt.wins("k" + round, thread + "-" + round);
                        }
                        return won;
                    }));
                }
                int[] winners = new int[ROUNDS];
                for (Future<boolean[]> future : futures) {
                    boolean[] won = future.get();
                    for (int round = 0; round < ROUNDS; round++) {
                        winners[round] += won[round] ? 1 : 0;
                    }
                }
                assertThat(winners).containsOnly(1);
            } finally {
                threads.shutdownNow();
            }
        }
    }
}

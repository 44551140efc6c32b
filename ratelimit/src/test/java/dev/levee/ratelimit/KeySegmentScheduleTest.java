package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** Calls for keys that are stopped between what they read and what they write, while another call runs. */
class KeySegmentScheduleTest {
    private static final long MILLI = 1_000_000;
    private static final TokenBucketLimit LIMIT = Limit.perSecond(1_000).burst(3);

    private final SettableClock clock = new SettableClock(0);
    private final KeyPlan plan = new KeyPlan(LIMIT, 0, 0);

    /** Runs something once: when a call has read a word and is about to write one, or to judge it. */
    private static final class StoppingPlan extends KeyPlan {
        private final boolean atDebt;
        private Runnable meanwhile;

        StoppingPlan(boolean atDebt, Runnable meanwhile) {
            super(LIMIT, 0, 0);
            this.atDebt = atDebt;
            this.meanwhile = meanwhile;
        }

        private void stop(boolean here) {
            if (here) {
                Runnable once = meanwhile;
                meanwhile = () -> {};
                once.run();
            }
        }

        @Override
        long next(KeyChange change, long tat, long now, long cost) {
            long next = super.next(change, tat, now, cost);
            stop(!atDebt);
            return next;
        }

        @Override
        long debt(long tat, long elapsed) {
            long debt = super.debt(tat, elapsed);
            stop(atDebt);
            return debt;
        }
    }

    private FingerprintTable table(int maxKeys) {
        return new FingerprintTable(maxKeys, false, clock, () -> {});
    }

    private long take(FingerprintTable table, long key, KeyPlan by) {
        return table.take(key, -key, by, 1);
    }

    private long used(FingerprintTable table, long key) {
        return table.debt(key, -key, plan) / MILLI;
    }

    /** Both keys have taken as much, so that only the fingerprint in them tells their words apart. */
    @Test
    void no_permit_is_taken_from_a_key_that_took_the_slot_over_meanwhile() {
        FingerprintTable table = table(1);
        take(table, 1, plan);
        KeyPlan stopping =
                new StoppingPlan(false, () -> assertThat(take(table, 2, plan)).isZero());

        assertThat(take(table, 1, stopping)).isZero();

        assertThat(used(table, 1)).isEqualTo(1); // it was forgiven, came again, and had the other one forgiven
        assertThat(used(table, 2)).isZero();
        assertThat(table.forgiven()).isEqualTo(2);
    }

    @Test
    void a_permit_that_is_taken_while_the_table_grows_is_counted_in_the_new_one() {
        FingerprintTable table = table(50);
        for (long key = 1; key <= 16; key++) {
            take(table, key, plan);
        }
        long bytes = table.bytes();
        KeyPlan stopping = new StoppingPlan(false, () -> {
            assertThat(take(table, 17, plan)).isZero();
            assertThat(table.bytes()).isGreaterThan(bytes);
        });

        assertThat(take(table, 1, stopping)).isZero();

        assertThat(used(table, 1)).isEqualTo(2);
        for (long key = 2; key <= 17; key++) {
            assertThat(used(table, key)).isEqualTo(1);
        }
    }

    /** Two threads: the call must have begun before the claim, which has the lock. */
    @Test
    void a_bucket_from_which_a_permit_is_taken_after_it_was_seen_full_is_not_dropped() throws Exception {
        FingerprintTable table = table(100);
        take(table, 1, plan);
        clock.set(1_000 * MILLI);
        CountDownLatch hasRead = new CountDownLatch(1);
        CountDownLatch isSeenFull = new CountDownLatch(1);
        CountDownLatch hasTaken = new CountDownLatch(1);
        ExecutorService executor = Executors.newSingleThreadExecutor();
        try {
            Future<Long> first = executor.submit(() -> {
                long wait = take(table, 1, new StoppingPlan(false, () -> {
                    hasRead.countDown();
                    await(isSeenFull);
                }));
                hasTaken.countDown();
                return wait;
            });
            hasRead.await();
            KeyPlan stopping = new StoppingPlan(true, () -> {
                isSeenFull.countDown();
                await(hasTaken);
            });

            assertThat(take(table, 2, stopping)).isZero();
            assertThat(first.get()).isZero();
        } finally {
            executor.shutdownNow();
        }
        assertThat(used(table, 1)).isEqualTo(1);
        assertThat(used(table, 2)).isEqualTo(1);
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}

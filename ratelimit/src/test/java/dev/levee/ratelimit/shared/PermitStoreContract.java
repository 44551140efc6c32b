package dev.levee.ratelimit.shared;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What every {@link PermitStore} must do. Leases do not end during a test, or within {@link #pass}. */
public abstract class PermitStoreContract {
    private static final Duration LONG = Duration.ofHours(1);
    private static final Duration SHORT = Duration.ofMillis(300);

    private long sequence;

    /**
     * The store, the same one all through a test. It knows of no lease, and has remembered for longer than any lasts.
     */
    protected abstract PermitStore store();

    /** Lets time pass for the store: at least as much. */
    protected abstract void pass(Duration duration);

    /** Lets the store lose all that it keeps; false if that cannot be. */
    protected boolean forget() {
        return false;
    }

    /** Sets the clock of the server ahead, or back if below zero; false if that cannot be. */
    protected boolean moveClock(Duration by) {
        return false;
    }

    private PermitLease send(PermitRequest request) {
        try {
            return store().renew(request).get(30, TimeUnit.SECONDS);
        } catch (Exception failed) {
            throw new AssertionError(failed);
        }
    }

    private PermitRequest request(String node, Duration life, int held, int needed, int wanted) {
        return new PermitRequest("pool", node, ++sequence, 10, life.toNanos(), 3, held, needed, wanted);
    }

    private PermitLease renew(String node, int held, int needed, int wanted) {
        return send(request(node, LONG, held, needed, wanted));
    }

    @Test
    void one_process_gets_what_it_wants_up_to_the_limit() {
        assertThat(renew("a", 0, 1, 4).permits()).isEqualTo(4);
        assertThat(renew("a", 4, 8, 20).permits()).isEqualTo(10);
    }

    @Test
    void what_is_held_is_not_taken_away_and_what_is_not_is_given_back() {
        assertThat(renew("a", 0, 10, 10).permits()).isEqualTo(10);

        PermitLease none = renew("b", 0, 10, 10);
        assertThat(none.permits()).isZero();
        assertThat(none.share()).isEqualTo(5);
        assertThat(none.sharers()).isEqualTo(2);

        PermitLease told = renew("a", 10, 10, 10);
        assertThat(told.permits()).isEqualTo(10);
        assertThat(told.share()).isEqualTo(5);
        assertThat(renew("a", 5, 10, 10).permits()).isEqualTo(5);
        assertThat(renew("b", 0, 10, 10).permits()).isEqualTo(5);
    }

    @Test
    void shares_are_fair_and_what_cannot_be_divided_goes_to_one() {
        renew("a", 0, 1, 1);
        renew("b", 0, 2, 2);
        assertThat(renew("c", 0, 20, 40).permits()).isEqualTo(7);

        int sum = 0;
        for (String node : new String[] {"a", "b", "c"}) {
            sum += renew(node, 0, 9, 9).permits();
        }
        assertThat(sum).isLessThanOrEqualTo(10);
        sum = 0;
        for (String node : new String[] {"a", "b", "c"}) {
            sum += renew(node, 0, 9, 9).share();
        }
        assertThat(sum).isBetween(9, 11);
    }

    @Test
    void spare_permits_go_to_others_that_need_them() {
        assertThat(renew("a", 0, 0, 8).permits()).isEqualTo(8);

        PermitLease needs = renew("b", 0, 10, 10);

        assertThat(needs.permits()).isEqualTo(2);
        assertThat(renew("a", 8, 0, 8).share()).isZero();
    }

    @Test
    void a_renewal_that_is_sent_again_changes_nothing() {
        PermitRequest first = request("a", LONG, 0, 4, 4);
        send(first);
        PermitRequest second = request("a", LONG, 4, 6, 6);
        assertThat(send(second).permits()).isEqualTo(6);

        assertThat(send(second).permits()).isEqualTo(6);
        assertThat(send(first).permits()).as("a late copy").isEqualTo(6);
        assertThat(renew("b", 0, 10, 10).permits()).isEqualTo(4);
    }

    @Test
    void permits_of_a_process_that_has_died_come_back_after_the_life() {
        send(request("dead", SHORT, 0, 10, 10));
        assertThat(send(request("b", SHORT, 0, 10, 10)).permits()).isZero();

        pass(SHORT.plusMillis(10));

        assertThat(send(request("b", SHORT, 0, 10, 10)).permits()).isEqualTo(10);
        assertThat(send(request("dead", SHORT, 4, 4, 4)).permits())
                .as("what it held is given away")
                .isZero();
    }

    @Test
    void what_a_process_held_before_its_lease_ended_is_held_again_if_it_is_free() {
        send(request("a", SHORT, 0, 6, 6));
        pass(SHORT.plusMillis(10));

        assertThat(send(request("b", SHORT, 0, 6, 6)).permits()).isEqualTo(6);
        assertThat(send(request("a", SHORT, 6, 6, 6)).permits()).isEqualTo(4);
    }

    @Test
    void a_higher_revision_applies_and_a_lower_one_is_told() {
        renew("a", 0, 8, 8);

        PermitLease lowered = send(new PermitRequest("pool", "b", ++sequence, 4, LONG.toNanos(), 4, 0, 4, 4));
        PermitLease told = renew("a", 8, 8, 8);

        assertThat(lowered.permits()).isZero();
        assertThat(lowered.limit()).isEqualTo(4);
        assertThat(told.limit()).isEqualTo(4);
        assertThat(told.revision()).isEqualTo(4);
        assertThat(told.conflict()).isFalse();
        assertThat(told.share()).isEqualTo(2);
        assertThat(send(new PermitRequest("pool", "a", ++sequence, 4, LONG.toNanos(), 4, 2, 8, 8))
                        .permits())
                .isEqualTo(2);
        assertThat(send(new PermitRequest("pool", "b", ++sequence, 4, LONG.toNanos(), 4, 0, 4, 4))
                        .permits())
                .isEqualTo(2);
    }

    @Test
    void limits_that_contradict_are_a_conflict_and_get_nothing() {
        renew("a", 0, 2, 2);

        PermitLease conflict = send(new PermitRequest("pool", "b", ++sequence, 9, LONG.toNanos(), 3, 0, 1, 1));
        PermitLease life = send(new PermitRequest("pool", "b", ++sequence, 10, LONG.toNanos() + 1_000_000, 3, 0, 1, 1));

        assertThat(conflict.conflict()).isTrue();
        assertThat(conflict.permits()).isZero();
        assertThat(conflict.limit()).isEqualTo(10);
        assertThat(life.conflict()).isTrue();
        assertThat(renew("a", 2, 10, 10).permits()).isEqualTo(10);
    }

    @Test
    void a_store_that_forgets_gives_only_what_is_held_until_a_life_has_passed() {
        send(request("a", SHORT, 0, 6, 6));
        assumeTrue(forget());

        assertThat(send(request("b", SHORT, 0, 10, 10)).permits()).isZero();
        assertThat(send(request("a", SHORT, 6, 6, 6)).permits()).isEqualTo(6);
        pass(SHORT.plusMillis(10));
        assertThat(send(request("b", SHORT, 0, 10, 10)).permits()).isEqualTo(10);
    }

    @Test
    void a_clock_that_is_set_ahead_ends_no_lease() {
        renew("a", 0, 10, 10);
        renew("b", 0, 10, 10);
        assumeTrue(moveClock(Duration.ofDays(1)));

        assertThat(renew("b", 0, 10, 10).permits()).isZero();
    }

    @Test
    void names_of_any_text_are_different_bulkheads() {
        String name = "ключ ' \" \\ % { } : # 🗝 \n " + "x".repeat(150);
        for (String each : new String[] {name, name + "y", "0", "b"}) {
            PermitLease lease = send(new PermitRequest(each, "a", ++sequence, 3, LONG.toNanos(), 0, 0, 3, 3));
            assertThat(lease.permits()).isEqualTo(3);
        }
    }
}

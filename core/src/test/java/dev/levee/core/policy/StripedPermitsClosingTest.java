package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What happens between two steps of one thread, played by hand. */
class StripedPermitsClosingTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    void cells_that_are_closed_for_a_new_reason_while_a_thread_opens_them_stay_closed(int cells) {
        StripedPermits permits = new StripedPermits(cells, cells);
        permits.close();
        permits.openUnless(() -> {
            permits.close(); // another thread has a reason, just after this one has seen that there is none
            return false;
        });
        for (int home = 0; home < cells; home++) {
            assertThat(permits.tryTakeAt(home)).isFalse();
            assertThat(permits.tryTake(home)).isEqualTo(StripedPermits.CLOSED);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    void cells_that_are_closed_for_no_reason_are_opened(int cells) {
        StripedPermits permits = new StripedPermits(cells, cells);
        permits.close();
        permits.openUnless(() -> true);
        assertThat(permits.tryTake(0)).isEqualTo(StripedPermits.CLOSED);
        permits.openUnless(() -> false);
        for (int home = 0; home < cells; home++) {
            assertThat(permits.tryTakeAt(home)).isTrue();
        }
    }

    @Test
    void a_call_is_not_refused_because_a_permit_moves_away_from_where_it_looks() {
        // One permit, in cell 0, which is always free. The thread reads cells 1 and 0, and then 0 and 1 again.
        MovedWhileReading permits = new MovedWhileReading(1);
        permits.beforeReading(() -> {}, () -> permits.move(0, 1), () -> {}, () -> permits.move(1, 0));
        assertThat(permits.tryTake(1)).isNotNegative();
    }

    @Test
    void a_call_is_not_refused_because_the_limit_is_raised_where_it_does_not_look() {
        MovedWhileReading permits = new MovedWhileReading(1);
        permits.move(0, 1); // one permit is always free, and never where the thread reads: cells 0 and 1, and again
        permits.beforeReading(
                () -> {},
                () -> {
                    permits.add(1); // to cell 0
                    permits.take(1);
                },
                () -> {
                    permits.add(2); // one to each cell
                    permits.take(0);
                    permits.take(0);
                },
                () -> {
                    permits.add(1);
                    permits.take(1);
                });
        assertThat(permits.tryTake(0)).isNotNegative();
    }

    @Test
    void a_call_is_refused_if_all_cells_are_empty_and_stay_so() {
        assertThat(new MovedWhileReading(0).tryTake(0)).isEqualTo(StripedPermits.NONE);
    }

    /** Two cells; before each reading something is done that another thread may do. */
    private static final class MovedWhileReading extends StripedPermits {
        private final Deque<Runnable> before = new ArrayDeque<>();

        MovedWhileReading(int permits) {
            super(permits, 2);
        }

        void beforeReading(Runnable... done) {
            before.addAll(List.of(done));
        }

        void move(int from, int to) {
            take(from);
            giveBack(to);
        }

        void take(int from) {
            assertThat(tryTakeAt(from)).isTrue();
        }

        @Override
        long read(int place) {
            Runnable next = before.poll();
            if (next != null) {
                next.run();
            }
            return super.read(place);
        }
    }
}

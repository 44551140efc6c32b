package dev.levee.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.levee.core.Scheduler;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class VirtualTimeTest {
    private final VirtualTime time = new VirtualTime();
    private final List<String> heard = new ArrayList<>();

    @Test
    void jumps_from_event_to_event() {
        time.schedule(() -> heard.add("second at " + time.now()), 20);
        time.schedule(() -> heard.add("first at " + time.now()), 10);

        time.runUntil(15);

        assertThat(heard).containsExactly("first at 10");
        assertThat(time.now()).isEqualTo(15);
    }

    @Test
    void the_clock_wraps_after_five_seconds_and_differences_hold() {
        long before = time.nanoTime();

        time.runUntil(6 * VirtualTime.SECOND);

        assertThat(time.nanoTime()).isNegative();
        assertThat(time.nanoTime() - before).isEqualTo(6 * VirtualTime.SECOND);
    }

    @Test
    void a_timer_that_was_cancelled_does_not_run() {
        Scheduler.Timer timer = time.schedule(() -> heard.add("never"), 10);

        assertThat(timer.cancel()).isTrue();
        assertThat(timer.cancel()).isFalse();
        time.runUntil(20);

        assertThat(heard).isEmpty();
    }

    @Test
    void refuses_to_wait() {
        assertThatIllegalStateException().isThrownBy(() -> time.sleep(1));
        assertThatIllegalStateException().isThrownBy(() -> time.park(this, 1));
    }
}

package dev.levee.core.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.internal.Timers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Timers that are no objects, in manual time. */
class TicketedTimersTest {
    private final ManualTime time = new ManualTime();
    private final Timers timers = (Timers) time.environment().scheduler();
    private final List<String> ran = new ArrayList<>();

    private Runnable task(String name) {
        return new Runnable() {
            @Override
            public void run() {
                ran.add(name + "@" + time.elapsed().toNanos());
            }
        };
    }

    private long set(Runnable task, long delayNanos) {
        return timers.set(task, time.nanoTime(), delayNanos);
    }

    @Test
    void count_by_the_clock_of_the_environment() {
        assertThat(timers.clock()).isSameAs(time.environment().clock());
    }

    @Test
    void run_among_the_others_in_the_order_of_their_time_then_of_scheduling() {
        time.environment().scheduler().schedule(task("other"), 10);
        set(task("mine"), 10);
        set(task("first"), 5);

        time.advance(Duration.ofNanos(10));

        assertThat(ran).containsExactly("first@5", "other@10", "mine@10");
        assertThat(time.pendingTimers()).isZero();
    }

    @Test
    void are_cancelled_once_by_their_own_ticket_only_and_are_not_pending_then() {
        Runnable task = task("a");
        long ticket = set(task, 10);
        assertThat(timers.take(ticket, task("b"))).isFalse();
        assertThat(timers.take(0, task)).isFalse();
        assertThat(timers.take(ticket, task)).isTrue();
        assertThat(timers.take(ticket, task)).isFalse();
        assertThat(time.pendingTimers()).isZero();

        Runnable next = task("next");
        assertThat(set(next, 10)).as("tickets are used again").isEqualTo(ticket);
        assertThat(timers.take(ticket, task)).isFalse();
        time.advance(Duration.ofNanos(10));
        assertThat(ran).containsExactly("next@10");
        assertThat(timers.take(ticket, next)).isFalse();
    }
}

package dev.levee.core.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class OneAtATimeTest {
    private final AtomicInteger runs = new AtomicInteger();

    @Test
    void a_request_during_a_run_is_served_by_the_running_thread_once() {
        OneAtATime[] self = new OneAtATime[1];
        self[0] = new OneAtATime(() -> {
            if (runs.incrementAndGet() == 1) {
                self[0].run();
                self[0].run();
            }
        });
        self[0].run();
        assertThat(runs).hasValue(2);
    }

    @Test
    void a_task_that_throws_an_error_is_run_again_by_the_next_request() {
        Error mine = new OutOfMemoryError("unable to create native thread");
        OneAtATime one = new OneAtATime(() -> {
            if (runs.incrementAndGet() < 3) {
                throw mine;
            }
        });
        assertThat(catchThrowable(one::run)).isSameAs(mine);
        assertThat(catchThrowable(one::run)).isSameAs(mine);
        one.run();
        assertThat(runs).hasValue(3);
    }

    /** The count must not need more stack than its thread has. */
    @Test
    void a_request_at_the_end_of_the_stack_does_not_leave_it_running_for_ever() throws Exception {
        OneAtATime one = new OneAtATime(runs::incrementAndGet);
        int[] overflows = new int[1];
        Thread deep = new Thread(
                null,
                () -> {
                    for (int i = 0; i < 300; i++) {
                        try {
                            descend(one, i % 17);
                        } catch (StackOverflowError expected) {
                            overflows[0]++;
                        }
                    }
                },
                "deep",
                256 << 10);
        deep.start();
        deep.join();
        assertThat(overflows[0]).isEqualTo(300);
        int before = runs.get();
        one.run();
        assertThat(runs).hasValue(before + 1);
    }

    private static long descend(OneAtATime one, int padding) {
        one.run();
        return padding > 0 ? descend(one, padding - 1, 1L) + 1 : descend(one, 0) + 1;
    }

    private static long descend(OneAtATime one, int padding, long frame) {
        return padding > 0 ? descend(one, padding - 1, frame + 1) + frame : descend(one, 0) + frame;
    }
}

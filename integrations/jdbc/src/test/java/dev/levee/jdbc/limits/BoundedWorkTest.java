package dev.levee.jdbc.limits;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.Test;

/** An executor that rejects, drops or keeps tasks, and tasks that throw: nothing is stuck, and nothing runs twice. */
class BoundedWorkTest {
    private final ManualTime time = new ManualTime();
    private final List<String> ran = new ArrayList<>();
    private final Deque<Runnable> threads = new ArrayDeque<>();
    private int failures;
    private int drops;
    private final BoundedWork work = new BoundedWork(time.environment(), this::execute, "quota store \"s\"", 2);

    private void execute(Runnable task) {
        if (failures-- > 0) {
            throw new OutOfMemoryError("unable to create native thread");
        }
        if (drops-- <= 0) {
            threads.add(task);
        }
    }

    private void runAll() {
        while (!threads.isEmpty()) {
            threads.remove().run();
        }
    }

    @Test
    void a_task_that_was_rejected_does_not_run_later() {
        failures = 1;
        assertThatThrownBy(() -> work.run(() -> ran.add("rejected"))).isInstanceOf(OutOfMemoryError.class);
        work.run(() -> ran.add("next"));
        runAll();
        assertThat(ran).containsExactly("next");
    }

    @Test
    void a_worker_that_was_dropped_is_replaced() {
        drops = 2;
        work.run(() -> ran.add("a"));
        work.run(() -> ran.add("b"));
        work.run(() -> ran.add("c"));
        assertThat(threads).isEmpty();
        time.advance(Duration.ofMinutes(1));
        runAll();
        assertThat(ran).containsExactly("a", "b", "c");
        work.run(() -> ran.add("d"));
        assertThat(threads).hasSize(1);
    }

    @Test
    void a_task_that_throws_keeps_no_other_from_running() {
        work.run(() -> {
            throw new StackOverflowError();
        });
        work.run(() -> ran.add("b"));
        work.run(() -> ran.add("c"));
        assertThatThrownBy(() -> threads.remove().run()).isInstanceOf(StackOverflowError.class);
        runAll();
        assertThat(ran).containsExactly("b", "c");
    }
}

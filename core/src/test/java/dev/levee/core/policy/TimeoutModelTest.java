package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.CallContext;
import dev.levee.core.CountingGate;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.Scheduler;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/**
 * Nested timeouts and a deadline around work of any length, interrupted from outside or not, beside what is to be
 * expected. Limits are odd, lengths and interrupts even, so that no limit comes at the same time as something else.
 */
class TimeoutModelTest {
    private static final int NEVER = 1_000;

    private final ManualTime time = new ManualTime().autoAdvance();
    private final Environment environment = time.environment();
    private final CountingGate outside = new CountingGate(Bulkhead.of("outside", config -> {}, environment));
    private final CountingGate inside = new CountingGate(Bulkhead.of("inside", config -> {}, environment));

    private Pipeline nested(List<Integer> limits) {
        List<Policy> policies = new ArrayList<>();
        policies.add(outside);
        for (int limit : limits) {
            policies.add(Timeout.of("t" + policies.size(), Duration.ofNanos(2L * limit + 1), environment));
        }
        policies.add(inside);
        return Pipeline.of(policies.toArray(new Policy[0]));
    }

    private CallContext until(int deadline) {
        return CallContext.current().withDeadline(Deadline.afterNanos(2L * deadline + 1, environment.clock()));
    }

    private static long earliest(List<Integer> limits, int deadline) {
        return 2L * Math.min(deadline, limits.stream().min(Integer::compare).orElseThrow()) + 1;
    }

    @Property
    void of_a_call_that_can_be_interrupted(
            @ForAll @Size(min = 1, max = 4) List<@IntRange(max = 20) Integer> limits,
            @ForAll @IntRange(max = 20) int deadline,
            @ForAll @IntRange(max = 25) int length,
            @ForAll @IntRange(min = 1, max = 40) int interrupt) {
        long limit = earliest(limits, deadline);
        long end = Math.min(2L * length, Math.min(limit, 2L * interrupt));
        Duration start = time.elapsed();
        Scheduler.Timer foreign = environment.scheduler().schedule(Thread.currentThread()::interrupt, 2L * interrupt);
        String outcome = "returned";
        try {
            until(deadline)
                    .call(() -> nested(limits).callInterruptibly(() -> {
                        environment.scheduler().sleep(2L * length);
                        return "yes";
                    }));
        } catch (TimedOutException thrown) {
            outcome = "timed out";
        } catch (InterruptedException thrown) {
            outcome = "interrupted";
        }
        boolean pending = foreign.cancel();

        assertThat(time.elapsed().minus(start)).isEqualTo(Duration.ofNanos(end));
        if (length < interrupt && 2L * length < limit) {
            assertThat(outcome).isEqualTo("returned");
        } else {
            assertThat(outcome).isEqualTo(limit < 2L * interrupt ? "timed out" : "interrupted");
        }
        assertThat(pending).as("the other came").isEqualTo(!outcome.equals("interrupted"));
        assertThat(Thread.interrupted())
                .as("ours is taken back, the other was thrown")
                .isFalse();
        Verdict verdict = outcome.equals("timed out")
                ? Verdict.FAILURE
                : outcome.equals("returned") ? Verdict.SUCCESS : Verdict.IGNORED;
        assertThat(outside.verdicts()).last().isEqualTo(verdict);
        assertThat(inside.verdicts()).last().isEqualTo(verdict);
        assertThat(inside.verdicts()).hasSameSizeAs(outside.verdicts());
        assertThat(time.pendingTimers()).isZero();
        assertThat(CallContext.current().deadline()).isNull();
    }

    @Property
    void of_a_call_that_never_reads_its_flag(
            @ForAll @Size(min = 1, max = 4) List<@IntRange(max = 20) Integer> limits,
            @ForAll @IntRange(max = 20) int deadline,
            @ForAll @IntRange(max = 25) int length,
            @ForAll @IntRange(min = 1, max = 40) int interrupt) {
        long limit = earliest(limits, deadline);
        Scheduler.Timer foreign = environment.scheduler().schedule(Thread.currentThread()::interrupt, 2L * interrupt);
        boolean timedOut = false;
        try {
            until(deadline)
                    .call(() -> nested(limits).call(() -> {
                        time.advance(Duration.ofNanos(2L * length));
                        return "yes";
                    }));
        } catch (TimedOutException thrown) {
            timedOut = true;
        }
        boolean came = !foreign.cancel();

        assertThat(timedOut).isEqualTo(2L * length > limit);
        boolean flag = Thread.interrupted();
        if (!timedOut || 2L * interrupt < limit) {
            assertThat(flag).as("the interrupt from outside").isEqualTo(came);
        } else {
            assertThat(flag)
                    .as("an interrupt that comes while that of the timeout is pending cannot be distinguished from it")
                    .isFalse();
        }
        assertThat(time.pendingTimers()).isZero();
    }

    @Property
    void of_an_asynchronous_call(
            @ForAll @Size(min = 1, max = 4) List<@IntRange(max = 20) Integer> limits,
            @ForAll @IntRange(max = 20) int deadline,
            @ForAll @IntRange(max = 25) int length,
            @ForAll @IntRange(min = 1, max = 40) int cancel) {
        long limit = earliest(limits, deadline);
        CompletableFuture<String> work = new CompletableFuture<>();
        Scheduler.Timer end = environment.scheduler().schedule(() -> work.complete("yes"), 2L * length);
        CompletableFuture<String> future =
                until(deadline).call(() -> nested(limits).callAsync(() -> work));
        Scheduler.Timer caller = environment.scheduler().schedule(() -> future.cancel(true), 2L * cancel);

        time.advance(Duration.ofNanos(NEVER));

        boolean first = 2L * length <= 2L * cancel && 2L * length < limit;
        assertThat(work.isCancelled()).isEqualTo(!first);
        assertThat(outside.verdicts())
                .last()
                .isEqualTo(first ? Verdict.SUCCESS : limit < 2L * cancel ? Verdict.FAILURE : Verdict.IGNORED);
        assertThat(inside.verdicts()).hasSameSizeAs(outside.verdicts());
        assertThat(end.cancel()).isFalse();
        assertThat(caller.cancel()).isFalse();
        assertThat(time.pendingTimers()).isZero();
    }
}

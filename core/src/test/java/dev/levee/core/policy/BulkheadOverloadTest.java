package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.Outcomes;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntToLongFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** More calls come than a bulkhead with a queue can serve: those that it begins are to end in time. */
class BulkheadOverloadTest {
    private static final Duration PATIENCE = Duration.ofMillis(100);
    private static final long WORK = Duration.ofMillis(20).toNanos();
    private static final int PERMITS = 5;

    private final ManualTime time = new ManualTime();
    private final Environment environment =
            time.environment().toBuilder().executor(time::start).build();
    private final AtomicInteger good = new AtomicInteger();
    private final AtomicInteger begun = new AtomicInteger();
    private final List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
    private final Bulkhead bulkhead = Bulkhead.of(
            "db", config -> config.maxConcurrent(PERMITS).queue(1_000, Duration.ofSeconds(10)), environment);

    @AfterEach
    void nothing_is_lost() {
        time.advance(Duration.ofMinutes(1));
        assertThat(bulkhead.inFlight()).isZero();
        assertThat(bulkhead.waiting()).isZero();
        assertThat(time.pendingTimers()).isZero();
        for (int permit = 0; permit < PERMITS; permit++) {
            assertThat(bulkhead.tryEnter(0)).isNotEqualTo(Gate.REFUSED);
        }
        assertThat(bulkhead.tryEnter(0)).isEqualTo(Gate.REFUSED);
    }

    /** A form of call. */
    enum Form {
        ASYNCHRONOUS,
        ASYNCHRONOUS_THAT_CANNOT_STOP,
        BLOCKING,
        ASYNCHRONOUS_ON_EXECUTOR,
        HEDGED
    }

    private Policy pipeline(Form form) {
        Timeout timeout = Timeout.of("t", PATIENCE, environment);
        return form == Form.HEDGED
                ? Pipeline.of(timeout, Hedge.of("h", c -> c.delay(Duration.ofSeconds(1)), environment), bulkhead)
                : Pipeline.of(timeout, bulkhead);
    }

    private void call(Form form, Policy policy, int number, IntToLongFunction work) {
        switch (form) {
            case ASYNCHRONOUS, HEDGED ->
                policy.callAsync(() -> stage(work.applyAsLong(number))).whenComplete(this::ended);
            case ASYNCHRONOUS_THAT_CANNOT_STOP ->
                policy.callAsync(() -> {
                            CompletableFuture<String> hidden = stage(work.applyAsLong(number));
                            CompletableFuture<String> shown = new Unstoppable<>();
                            hidden.whenComplete((result, error) -> shown.complete(result));
                            return shown;
                        })
                        .whenComplete(this::ended);
            case ASYNCHRONOUS_ON_EXECUTOR ->
                policy.callAsync(time::start, () -> sleep(work.applyAsLong(number)))
                        .whenComplete(this::ended);
            case BLOCKING ->
                time.start(() -> {
                    ended(
                            "done",
                            catchThrowable(() -> policy.callInterruptibly(() -> sleep(work.applyAsLong(number)))));
                });
        }
    }

    /** A stage that ignores a cancel, as the work behind it does. */
    private static final class Unstoppable<T> extends CompletableFuture<T> {
        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            return false;
        }
    }

    private CompletableFuture<String> stage(long nanos) {
        begun.incrementAndGet();
        CompletableFuture<String> stage = new CompletableFuture<>();
        environment.scheduler().schedule(() -> stage.complete("done"), nanos);
        return stage;
    }

    private String sleep(long nanos) throws InterruptedException {
        begun.incrementAndGet();
        environment.scheduler().sleep(nanos);
        return "done";
    }

    private void ended(String result, Throwable error) {
        if (error == null) {
            good.incrementAndGet();
        } else {
            failures.add(Outcomes.unwrap(error));
        }
    }

    /** Makes calls, with times between them, and waits until all have ended. Returns the part that was answered. */
    private double goodput(Form form, Policy policy, int calls, IntToLongFunction gap, IntToLongFunction work) {
        for (int call = 0; call < calls; call++) {
            call(form, policy, call, work);
            time.advance(Duration.ofNanos(gap.applyAsLong(call)));
        }
        time.advance(Duration.ofMinutes(1));
        assertThat(good.get() + failures.size()).isEqualTo(calls);
        return (double) good.get() / calls;
    }

    private static IntToLongFunction every(long nanos) {
        return call -> nanos;
    }

    private static IntToLongFunction exponential(double meanNanos, long seed) {
        Random random = new Random(seed);
        return call -> (long) (-Math.log(1 - random.nextDouble()) * meanNanos);
    }

    @ParameterizedTest
    @EnumSource
    void at_twice_the_capacity_half_of_the_calls_are_answered(Form form) {
        assertThat(goodput(form, pipeline(form), 400, every(2_000_000), every(WORK)))
                .isGreaterThanOrEqualTo(0.45);
        assertThat(failures).allMatch(it -> it instanceof BulkheadFullException);
        assertThat(begun).as("no call is begun in vain").hasValue(good.get());
    }

    @ParameterizedTest
    @CsvSource({
        "ASYNCHRONOUS, 0.8",
        "ASYNCHRONOUS_THAT_CANNOT_STOP, 0.8",
        "ASYNCHRONOUS, 1.05",
        "ASYNCHRONOUS_THAT_CANNOT_STOP, 1.05",
        "ASYNCHRONOUS, 2",
        "ASYNCHRONOUS_THAT_CANNOT_STOP, 2",
        "ASYNCHRONOUS_THAT_CANNOT_STOP, 4",
        "BLOCKING, 2"
    })
    void so_it_is_with_calls_that_come_and_take_as_they_like(Form form, double load) {
        double capacity = Math.min(1, 1 / load);
        int calls = form == Form.BLOCKING ? 400 : 5_000;
        assertThat(goodput(form, pipeline(form), calls, exponential(4e6 / load, 1), exponential((double) WORK, 2)))
                .isGreaterThanOrEqualTo(0.85 * capacity);
    }

    @ParameterizedTest
    @EnumSource(names = {"ASYNCHRONOUS", "ASYNCHRONOUS_THAT_CANNOT_STOP", "BLOCKING"})
    void so_it_is_when_calls_come_in_bursts(Form form) {
        IntToLongFunction bursts = call -> call % 50 == 49 ? 100_000_000 : 0;
        assertThat(goodput(form, pipeline(form), 400, bursts, every(WORK))).isGreaterThanOrEqualTo(0.35);
        assertThat(begun)
                .as("no call is begun in vain, once it is known how long they take")
                .hasValueLessThanOrEqualTo(good.get() + 2 * PERMITS);
    }

    @ParameterizedTest
    @EnumSource(names = {"ASYNCHRONOUS", "ASYNCHRONOUS_THAT_CANNOT_STOP"})
    void the_time_that_calls_take_may_change(Form form) {
        Policy policy = pipeline(form);
        assertThat(goodput(form, policy, 1_000, every(2_000_000), every(WORK))).isGreaterThanOrEqualTo(0.45);
        int before = good.get();
        double slower = goodputOfMore(form, policy, 1_000, every(2_000_000), every(3 * WORK));
        assertThat(slower).as("5 permits, 60 ms, 500 in a second: 17 %%").isGreaterThanOrEqualTo(0.14);
        double faster = goodputOfMore(form, policy, 1_000, every(2_000_000), every(WORK / 2));
        assertThat(faster).as("10 ms: all").isGreaterThanOrEqualTo(0.9);
        assertThat(good.get()).isGreaterThan(before);
    }

    private double goodputOfMore(Form form, Policy policy, int calls, IntToLongFunction gap, IntToLongFunction work) {
        good.set(0);
        failures.clear();
        return goodput(form, policy, calls, gap, work);
    }

    @Test
    void without_a_deadline_the_first_that_came_is_the_first_and_none_is_refused_for_lack_of_time() {
        List<Integer> order = new ArrayList<>();
        for (int call = 0; call < 500; call++) {
            int number = call;
            bulkhead.callAsync(() -> {
                        order.add(number);
                        return stage(WORK);
                    })
                    .whenComplete(this::ended);
            time.advance(Duration.ofMillis(2));
        }
        time.advance(Duration.ofMinutes(1));
        assertThat(failures).isEmpty();
        assertThat(order).hasSize(500).isSorted();
    }
}

package dev.levee.cache;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CallContext;
import dev.levee.core.Environment;
import dev.levee.core.policy.Hedge;
import dev.levee.core.policy.RetryBudget;
import dev.levee.core.policy.Timeout;
import dev.levee.core.testing.ManualTime;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** A load whose call is called off: by a hedge that another attempt has won, a timeout or a cancel. */
class CalledOffLoadTest {
    private final ManualTime time = new ManualTime();
    private final Environment environment =
            time.environment().toBuilder().executor(time::start).build();
    private final List<Object> outcomes = Collections.synchronizedList(new ArrayList<>());
    private final List<Integer> loads = Collections.synchronizedList(new ArrayList<>());

    private String load(String key) throws SocketException {
        loads.add(loads.size() + 1);
        try {
            environment.scheduler().sleep((loads.size() == 1 ? ofSeconds(100) : ofMillis(10)).toNanos());
            return key + " of load " + loads.size();
        } catch (InterruptedException interrupt) {
            throw new SocketException("Closed by interrupt");
        }
    }

    @Test
    void does_not_fail_the_callers_that_wait_for_it() {
        Cache<String, String> cache = Cache.of("c", config -> {}, environment);
        Hedge hedge = Hedge.of("h", c -> c.delay(ofMillis(100)).budget(RetryBudget.unlimited()), environment);
        time.start(() -> outcomes.add(
                hedge.call(() -> CallContext.current().attempt() == 1 ? cache.get("a", this::load) : "second")));
        time.advance(ofMillis(50));
        time.start(() -> outcomes.add(cache.get("a", this::load)));
        time.advance(ofSeconds(1));
        assertThat(outcomes).containsExactly("second", "a of load 2");
    }

    @Test
    void by_a_timeout_is_done_again_by_one_of_those_that_wait() {
        Cache<String, String> cache = Cache.of("c", config -> {}, environment);
        Timeout timeout = Timeout.of("t", ofMillis(100), environment);
        time.start(() -> outcomes.add(catchThrowable(() -> timeout.call(() -> cache.get("a", this::load)))
                .getClass()
                .getSimpleName()));
        time.advance(ofMillis(50));
        for (int waiter = 0; waiter < 3; waiter++) {
            time.start(() -> outcomes.add(cache.get("a", this::load)));
        }
        time.advance(ofSeconds(1));
        assertThat(outcomes)
                .containsExactlyInAnyOrder("TimedOutException", "a of load 2", "a of load 2", "a of load 2");
        assertThat(loads).hasSize(2);
    }

    @Test
    void by_a_cancel_is_done_again_by_one_of_those_that_wait() {
        Cache<String, String> cache = Cache.of("c", config -> {}, environment);
        Timeout timeout = Timeout.of("t", ofSeconds(10), environment);
        CompletableFuture<String> first = timeout.callAsync(time::start, () -> cache.get("a", this::load));
        time.advance(ofMillis(50));
        CompletableFuture<String> second = timeout.callAsync(time::start, () -> cache.get("a", this::load));
        time.advance(ofMillis(50));
        first.cancel(true);
        time.advance(ofSeconds(1));
        assertThat(second).isCompletedWithValue("a of load 2");
    }

    @Test
    void of_a_caller_that_only_waited_goes_on() {
        Cache<String, String> cache = Cache.of("c", config -> {}, environment);
        Timeout impatient = Timeout.of("impatient", ofMillis(100), environment);
        Timeout patient = Timeout.of("patient", ofSeconds(1_000), environment);
        CompletableFuture<String> first = patient.callAsync(time::start, () -> cache.get("a", this::load));
        time.advance(ofMillis(50));
        CompletableFuture<String> second = impatient.callAsync(time::start, () -> cache.get("a", this::load));
        CompletableFuture<String> third = patient.callAsync(time::start, () -> cache.get("a", this::load));
        time.advance(ofMillis(200));
        assertThat(second).isCompletedExceptionally();
        third.cancel(true);
        time.advance(ofSeconds(100));
        assertThat(first).isCompletedWithValue("a of load 1");
        assertThat(loads).hasSize(1);
    }
}

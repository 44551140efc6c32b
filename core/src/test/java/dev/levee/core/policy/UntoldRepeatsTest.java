package dev.levee.core.policy;

import static java.time.Duration.ofMillis;
import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.CapturedLog;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** The warning of policies that repeat what may have been done, and have not been told whether they may. */
class UntoldRepeatsTest {
    private static final AtomicInteger NAMES = new AtomicInteger();

    private final String name = "untold-" + NAMES.incrementAndGet();
    private final Timeout timeout = Timeout.of("t", ofMillis(800));

    private static List<String> warnings(Runnable builds) {
        try (CapturedLog retries = new CapturedLog(Retry.class);
                CapturedLog hedges = new CapturedLog(Hedge.class)) {
            builds.run();
            return java.util.stream.Stream.concat(retries.lines().stream(), hedges.lines().stream())
                    .toList();
        }
    }

    private static List<String> warnings(Policy... policies) {
        return warnings(() -> Pipeline.of(policies));
    }

    @Test
    void a_retry_around_a_timeout_warns_once_and_says_what_to_do() {
        Runnable builds = () -> Pipeline.of(Retry.of(name), Bulkhead.of("b", 1), timeout);
        assertThat(warnings(builds))
                .singleElement()
                .asString()
                .startsWith("WARN retry \"" + name + "\": ")
                .contains("timeout \"t\"", "may have been done", "idempotent(true)", "idempotent(false)");
        assertThat(warnings(builds)).isEmpty();
    }

    @Test
    void a_pipeline_in_a_pipeline_is_looked_into() {
        assertThat(warnings(Pipeline.of(Retry.of(name)), Pipeline.of(Bulkhead.of("b", 1), timeout)))
                .hasSize(1);
    }

    @Test
    void a_retry_that_was_told_does_not_warn() {
        assertThat(warnings(Retry.of(name, c -> c.idempotent(true)), timeout)).isEmpty();
        assertThat(warnings(Retry.of(name, c -> c.idempotent(false)), timeout)).isEmpty();
        RetryConfig told = RetryConfig.builder().idempotent(true).build();
        assertThat(warnings(Retry.of(name, told.toBuilder().build()), timeout)).isEmpty();
    }

    @Test
    void a_retry_that_repeats_nothing_or_no_timeout_does_not_warn() {
        assertThat(warnings(Retry.of(name, c -> c.maxAttempts(1)), timeout)).isEmpty();
        assertThat(warnings(timeout, Retry.of(name))).isEmpty();
        assertThat(warnings(Retry.of(name), Bulkhead.of("b", 1))).isEmpty();
    }

    @Test
    void a_retry_that_only_repeats_by_default_says_so_in_its_configuration() {
        assertThat(RetryConfig.builder().build().idempotent()).isTrue();
        assertThat(RetryConfig.builder().idempotent(false).build().idempotent()).isFalse();
    }

    @Test
    void a_hedge_warns_once_in_a_pipeline_and_alone() {
        assertThat(warnings(() -> Hedge.of(name)))
                .singleElement()
                .asString()
                .startsWith("WARN hedge \"" + name + "\": ")
                .contains("idempotent(true)", "idempotent(false)");
        assertThat(warnings(Hedge.of(name), timeout)).isEmpty();
    }

    @Test
    void a_hedge_that_was_told_or_has_one_attempt_does_not_warn() {
        assertThat(warnings(() -> Hedge.of(name, c -> c.idempotent(true)))).isEmpty();
        assertThat(warnings(() -> Hedge.of(name, c -> c.idempotent(false)))).isEmpty();
        assertThat(warnings(() -> Hedge.of(name, c -> c.maxAttempts(1)))).isEmpty();
    }

    @Test
    void a_hedge_that_must_not_repeat_runs_each_call_once() throws Exception {
        AtomicInteger runs = new AtomicInteger();
        Hedge hedge = Hedge.of(name, c -> c.delay(ofMillis(0)).idempotent(false));
        assertThat(hedge.<Integer, Exception>call(runs::incrementAndGet)).isOne();
        assertThat(hedge.callAsync(() -> new java.util.concurrent.CompletableFuture<>()))
                .isNotDone();
        assertThat(HedgeConfig.builder().idempotent(false).build().idempotent()).isFalse();
        assertThat(HedgeConfig.builder().build().idempotent()).isTrue();
        assertThat(HedgeConfig.builder().idempotent(false).build().toBuilder()
                        .build()
                        .idempotent())
                .isFalse();
    }
}

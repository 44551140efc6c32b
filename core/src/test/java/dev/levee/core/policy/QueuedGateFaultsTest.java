package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Pipeline;
import dev.levee.core.WaitingGate;
import dev.levee.core.testing.ManualTime;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A call that cannot follow its turn in a queue ends, and no permit is lost. */
class QueuedGateFaultsTest {
    private final ManualTime time = new ManualTime();
    private final Bulkhead bulkhead =
            Bulkhead.of("b", config -> config.maxConcurrent(1).queue(1, Duration.ofSeconds(1)), time.environment());
    private final AtomicInteger untilItThrows = new AtomicInteger(Integer.MAX_VALUE);

    private WaitingGate gateThatThrows() {
        return (WaitingGate) Proxy.newProxyInstance(
                WaitingGate.class.getClassLoader(), new Class<?>[] {WaitingGate.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("environment") && untilItThrows.decrementAndGet() == 0) {
                        throw new IllegalStateException("no environment");
                    }
                    try {
                        return method.invoke(bulkhead, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6})
    void a_call_ends_whenever_the_gate_at_which_it_waits_throws(int number) {
        Pipeline pipeline = Pipeline.of(gateThatThrows());
        CompletableFuture<String> work = new CompletableFuture<>();
        CompletableFuture<String> first = pipeline.callAsync(() -> work);
        untilItThrows.set(number);
        CompletableFuture<String> second = pipeline.callAsync(() -> CompletableFuture.completedFuture("second"));
        work.complete("first");
        time.runReady();
        assertThat(first).isCompletedWithValue("first");
        assertThat(second).isDone();
        assertThat(bulkhead.inFlight()).isZero();
        assertThat(bulkhead.waiting()).isZero();
        assertThat(pipeline.call(() -> "third")).isEqualTo("third");
    }
}

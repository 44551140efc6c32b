package dev.levee.cache;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.CallContext;
import dev.levee.core.Environment;
import dev.levee.core.policy.Hedge;
import dev.levee.core.policy.RetryBudget;
import dev.levee.core.testing.ManualTime;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A load whose call is called off, by a hedge that another attempt has won. */
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
}

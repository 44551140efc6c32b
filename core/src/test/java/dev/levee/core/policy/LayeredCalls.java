package dev.levee.core.policy;

import dev.levee.core.Environment;
import dev.levee.core.Operation;
import dev.levee.core.Policy;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Calls through policies that repeat, around each other: which requests were sent, and how the calls have ended. */
abstract class LayeredCalls {
    final ManualTime time = new ManualTime();
    final Environment environment =
            time.environment().toBuilder().executor(time::start).build();
    final List<Integer> requests = Collections.synchronizedList(new ArrayList<>());
    final List<Object> outcomes = Collections.synchronizedList(new ArrayList<>());

    void start(Policy policy, Operation<String, Throwable> operation) {
        time.start(() -> {
            try {
                outcomes.add(policy.call(operation));
            } catch (Throwable error) {
                outcomes.add(error);
            }
        });
    }

    void keep(CompletableFuture<String> future) {
        future.whenComplete((result, error) -> outcomes.add(error == null ? result : error));
    }

    void run(Runnable form) {
        requests.clear();
        outcomes.clear();
        form.run();
        time.advance(Duration.ofMinutes(1));
    }
}

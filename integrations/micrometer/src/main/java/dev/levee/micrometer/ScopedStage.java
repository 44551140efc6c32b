package dev.levee.micrometer;

import dev.levee.core.Invocation;
import io.micrometer.observation.Observation;
import java.lang.reflect.Method;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Starts a stage in the scope of an observation, on whatever thread. If the original is a call of a client, so is this.
 *
 * @param <T> the result of the stage
 */
class ScopedStage<T extends @Nullable Object> implements Supplier<CompletionStage<T>> {
    private final ObservedCalls policy;
    private final Observation observation;
    private final Supplier<? extends CompletionStage<T>> operation;

    private ScopedStage(
            ObservedCalls policy, Observation observation, Supplier<? extends CompletionStage<T>> operation) {
        this.policy = policy;
        this.observation = observation;
        this.operation = operation;
    }

    static <T extends @Nullable Object> Supplier<CompletionStage<T>> of(
            ObservedCalls policy, Observation observation, Supplier<? extends CompletionStage<T>> operation) {
        return operation instanceof Invocation call
                ? new StageOfClient<>(policy, observation, operation, call)
                : new ScopedStage<>(policy, observation, operation);
    }

    @Override
    public CompletionStage<T> get() {
        ObservedCalls.OpenScope scope = policy.open(observation);
        try {
            return operation.get();
        } finally {
            policy.close(scope);
        }
    }

    private static final class StageOfClient<T extends @Nullable Object> extends ScopedStage<T> implements Invocation {
        private final Invocation call;

        StageOfClient(
                ObservedCalls policy,
                Observation observation,
                Supplier<? extends CompletionStage<T>> operation,
                Invocation call) {
            super(policy, observation, operation);
            this.call = call;
        }

        @Override
        public Method method() {
            return call.method();
        }

        @Override
        public List<@Nullable Object> arguments() {
            return call.arguments();
        }

        @Override
        public Class<?> resultType() {
            return call.resultType();
        }
    }
}

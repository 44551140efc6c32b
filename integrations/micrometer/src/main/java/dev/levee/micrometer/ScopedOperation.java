package dev.levee.micrometer;

import dev.levee.core.InterruptibleOperation;
import dev.levee.core.Invocation;
import dev.levee.core.Operation;
import io.micrometer.observation.Observation;
import java.lang.reflect.Method;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An operation that runs in the scope of an observation, on whatever thread. It is of the kind of the original: one
 * that may be interrupted, or a call of a client, is so still.
 *
 * @param <T> what it returns
 */
class ScopedOperation<T extends @Nullable Object> implements Operation<T, Throwable> {
    private final ObservedCalls policy;
    private final Observation observation;
    private final Operation<T, ?> operation;

    ScopedOperation(ObservedCalls policy, Observation observation, Operation<T, ?> operation) {
        this.policy = policy;
        this.observation = observation;
        this.operation = operation;
    }

    @SuppressWarnings("unchecked") // it throws what the original throws
    static <T extends @Nullable Object, X extends Throwable> Operation<T, X> of(
            ObservedCalls policy, Observation observation, Operation<T, X> operation) {
        boolean interruptible = operation instanceof InterruptibleOperation;
        ScopedOperation<T> scoped;
        if (operation instanceof Invocation call) {
            scoped = interruptible
                    ? new OfInterruptibleClient<>(policy, observation, operation, call)
                    : new OfClient<>(policy, observation, operation, call);
        } else {
            scoped = interruptible
                    ? new OfInterruptible<>(policy, observation, operation)
                    : new ScopedOperation<>(policy, observation, operation);
        }
        return (Operation<T, X>) (Operation<T, ?>) scoped;
    }

    @Override
    public T run() throws Throwable {
        ObservedCalls.OpenScope scope = policy.open(observation);
        try {
            return operation.run();
        } finally {
            policy.close(scope);
        }
    }

    private static final class OfInterruptible<T extends @Nullable Object> extends ScopedOperation<T>
            implements InterruptibleOperation<T, Throwable> {
        OfInterruptible(ObservedCalls policy, Observation observation, Operation<T, ?> operation) {
            super(policy, observation, operation);
        }
    }

    private static class OfClient<T extends @Nullable Object> extends ScopedOperation<T> implements Invocation {
        private final Invocation call;

        OfClient(ObservedCalls policy, Observation observation, Operation<T, ?> operation, Invocation call) {
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

    private static final class OfInterruptibleClient<T extends @Nullable Object> extends OfClient<T>
            implements InterruptibleOperation<T, Throwable> {
        OfInterruptibleClient(
                ObservedCalls policy, Observation observation, Operation<T, ?> operation, Invocation call) {
            super(policy, observation, operation, call);
        }
    }
}

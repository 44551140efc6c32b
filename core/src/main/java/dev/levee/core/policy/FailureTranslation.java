package dev.levee.core.policy;

import dev.levee.core.CallFuture;
import dev.levee.core.Environment;
import dev.levee.core.Inner;
import dev.levee.core.Operation;
import dev.levee.core.Outcomes;
import dev.levee.core.internal.CallState;
import dev.levee.core.internal.FitsStackRoom;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Unchecked;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The implementation of {@link Translate}. See ADR 69. */
final class FailureTranslation implements Translate, FitsStackRoom {
    private static final Logger LOG = LoggerFactory.getLogger(Translate.class);

    private final String name;
    private final Function<? super Exception, ? extends @Nullable Exception> translation;
    private final Environment environment;

    FailureTranslation(
            String name,
            Function<? super Exception, ? extends @Nullable Exception> translation,
            Environment environment) {
        this.name = Require.name(name);
        this.translation = Require.nonNull("translation", translation);
        this.environment = Require.nonNull("environment", environment);
    }

    @Override
    public <T extends @Nullable Object, X extends Throwable> T around(Inner inner, Operation<T, X> operation) throws X {
        try {
            return inner.call(operation);
        } catch (Throwable error) {
            Throwable other = translated(error);
            if (CallState.current().endedAfterRun(error)) {
                CallState.current().endsAfterRun(other);
            }
            throw Unchecked.<X>asDeclared(other);
        }
    }

    @Override
    public <T extends @Nullable Object> CompletableFuture<T> aroundAsync(
            Inner inner, Supplier<? extends CompletionStage<T>> operation) {
        CompletableFuture<T> running = inner.callAsync(operation);
        if (running.isDone() && !running.isCompletedExceptionally()) {
            return running;
        }
        CallFuture<T> future = new CallFuture<>();
        future.passCancelTo(running);
        running.whenComplete((result, error) -> {
            if (error == null) {
                future.complete(result);
            } else if (!future.isDone()) { // a caller that has cancelled wants no translation
                future.completeExceptionally(translated(Outcomes.unwrap(error)));
            }
        });
        return future;
    }

    private Throwable translated(Throwable error) {
        if (!FallbackConfig.ORDINARY.test(error)) {
            return error;
        }
        try {
            Exception other = translation.apply((Exception) error);
            return other == null ? error : other;
        } catch (Throwable thrown) {
            SafeLog.warn(LOG, "translate \"{}\": the function threw; the failure is thrown as it is", name, thrown);
            return error;
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Environment environment() {
        return environment;
    }

    @Override
    public String toString() {
        return "translate \"" + name + "\"";
    }
}

package dev.levee.micrometer;

import dev.levee.core.Around;
import dev.levee.core.CallFuture;
import dev.levee.core.Environment;
import dev.levee.core.Inner;
import dev.levee.core.Operation;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Outcomes;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Text;
import dev.levee.core.internal.WarnedSubjects;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes an {@link Observation} of each call, and changes nothing else: what handlers make of it is a timer, a span, or
 * a line of a log.
 *
 * <p>Put it outermost; then it is what a caller sees, with the time in queues and between attempts.
 *
 * <pre>{@code
 * Pipeline guard = Pipeline.of(
 *         ObservedCalls.of("catalog", observations), Retry.of("catalog"), CircuitBreaker.of("catalog"));
 * }</pre>
 *
 * <p><b>The observation</b> is named {@code levee.call}, with the name of this policy as its contextual name. Its
 * low-cardinality keys are {@code name}, and {@code verdict}: {@code success}, {@code failure}, {@code throttled},
 * {@code not_sent}, {@code ignored}, {@code refused} by a policy further in, and {@code none} until it has ended. An
 * exception that comes out is its error, the same object. A handler of meters makes of it the timer {@code levee.call},
 * and {@code levee.call.active} for those in flight.
 *
 * <p><b>Scopes.</b> On the thread of the caller the scope is open while the rest of the pipeline runs there; and on
 * whatever thread an operation runs or a stage is started (a retry later on, a hedge, the thread of a timeout) while it
 * does. Each is closed by the thread that opened it. An asynchronous call ends when its stage has: not by a cancel of
 * the caller, but when the work behind it has ended.
 *
 * <p>Thread-safe; does not block. A call costs what the handlers do, and some objects; with a registry without handlers
 * it costs one check. What a handler throws is logged once, and the call goes on. For figures alone take a
 * {@code CallMeter}, which allocates nothing.
 *
 * @since 0.1
 */
public final class ObservedCalls implements Around {
    private static final Logger LOG = LoggerFactory.getLogger(ObservedCalls.class);

    private static final String OBSERVATION = "levee.call";

    private final String name;
    private final OutcomeRule outcomes;
    private final ObservationRegistry registry;
    private final Environment environment;
    private final WarnedSubjects warned = new WarnedSubjects();

    private ObservedCalls(String name, OutcomeRule outcomes, ObservationRegistry registry, Environment environment) {
        this.name = Require.name(name);
        this.outcomes = Require.nonNull("outcomes", outcomes);
        this.registry = Require.nonNull("registry", registry);
        this.environment = Require.nonNull("environment", environment);
    }

    /**
     * Makes the policy with {@link OutcomeRule#standard()} in {@link Environment#system()}.
     *
     * @param name the name of the pipeline
     * @param registry what observations are made with
     * @return the policy
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    public static ObservedCalls of(String name, ObservationRegistry registry) {
        return of(name, registry, Environment.system());
    }

    /**
     * Makes the policy with {@link OutcomeRule#standard()}.
     *
     * @param name the name of the pipeline
     * @param registry what observations are made with
     * @param environment that of the other policies of the pipeline; nothing is taken from it
     * @return the policy
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    public static ObservedCalls of(String name, ObservationRegistry registry, Environment environment) {
        return of(name, OutcomeRule.standard(), registry, environment);
    }

    /**
     * Makes the policy.
     *
     * @param name the name of the pipeline
     * @param outcomes decides the verdict
     * @param registry what observations are made with
     * @param environment that of the other policies of the pipeline; nothing is taken from it
     * @return the policy
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    public static ObservedCalls of(
            String name, OutcomeRule outcomes, ObservationRegistry registry, Environment environment) {
        return new ObservedCalls(name, outcomes, registry, environment);
    }

    @Override
    public <T extends @Nullable Object, X extends Throwable> T around(Inner inner, Operation<T, X> operation) throws X {
        Observation observation = begin();
        if (observation == null) {
            return inner.call(operation);
        }
        T result;
        try {
            OpenScope scope = open(observation);
            try {
                result = inner.call(ScopedOperation.of(this, observation, operation));
            } finally {
                close(scope);
            }
        } catch (Throwable error) {
            end(observation, error, Outcomes.judgeBlocking(outcomes, null, error));
            throw error;
        }
        end(observation, null, Outcomes.judgeBlocking(outcomes, result, null));
        return result;
    }

    @Override
    public <T extends @Nullable Object> CompletableFuture<T> aroundAsync(
            Inner inner, Supplier<? extends CompletionStage<T>> operation) {
        Observation observation = begin();
        if (observation == null) {
            return inner.callAsync(operation);
        }
        CompletableFuture<T> running;
        OpenScope scope = open(observation);
        try {
            running = inner.callAsync(ScopedStage.of(this, observation, operation));
        } finally {
            close(scope);
        }
        CallFuture<T> future = new CallFuture<>();
        future.passCancelTo(running);
        running.whenComplete((result, thrown) -> {
            Throwable error = thrown == null ? null : Outcomes.unwrap(thrown);
            end(observation, error, Outcomes.judge(outcomes, result, error));
            future.finish(result, error);
        });
        return future;
    }

    /** Starts an observation; null if there is nothing to do. */
    private @Nullable Observation begin() {
        if (registry.isNoop()) {
            return null;
        }
        try {
            Observation observation = Observation.createNotStarted(OBSERVATION, registry);
            if (observation.isNoop()) {
                return null;
            }
            return observation
                    .contextualName(name)
                    .lowCardinalityKeyValue("name", name)
                    .lowCardinalityKeyValue("verdict", "none")
                    .start();
        } catch (Throwable thrown) {
            warn("not be started", thrown);
            return null;
        }
    }

    /** Opens the scope of an observation on this thread; null if it is open already, or cannot be opened. */
    @Nullable OpenScope open(Observation observation) {
        Observation.Scope before = registry.getCurrentObservationScope();
        if (before != null && before.getCurrentObservation() == observation) {
            return null;
        }
        try {
            return new OpenScope(observation.openScope(), before);
        } catch (Throwable thrown) {
            warn("not be opened on a thread", thrown);
            registry.setCurrentObservationScope(before);
            return null;
        }
    }

    void close(@Nullable OpenScope scope) {
        if (scope != null) {
            try {
                scope.scope.close();
            } catch (Throwable thrown) {
                warn("not be closed on a thread", thrown);
                registry.setCurrentObservationScope(scope.before);
            }
        }
    }

    private void end(Observation observation, @Nullable Throwable error, Verdict verdict) {
        try {
            observation.lowCardinalityKeyValue("verdict", word(verdict, error));
            if (error != null) {
                observation.error(error);
            }
        } catch (Throwable thrown) {
            warn("not be told of an error", thrown);
        }
        try {
            observation.stop();
        } catch (Throwable thrown) {
            warn("not be stopped", thrown);
        }
    }

    private static String word(Verdict verdict, @Nullable Throwable error) {
        return verdict == Verdict.IGNORED && error instanceof RefusedException
                ? "refused"
                : verdict.name().toLowerCase(Locale.ROOT);
    }

    private void warn(String what, Throwable thrown) {
        if (warned.add(what)) {
            SafeLog.warn(LOG, "observed calls \"{}\": an observation could {}", Text.printable(name), what, thrown);
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Kind kind() {
        return Kind.OTHER;
    }

    @Override
    public Environment environment() {
        return environment;
    }

    @Override
    public String toString() {
        return "observed calls \"" + name + "\"";
    }

    /** A scope that this thread has opened, and the one before it. */
    record OpenScope(Observation.Scope scope, Observation.@Nullable Scope before) {}
}

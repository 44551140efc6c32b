package dev.levee.opentelemetry;

import dev.levee.core.Around;
import dev.levee.core.ContextCarrier;
import dev.levee.core.Environment;
import dev.levee.core.Listener;
import dev.levee.core.internal.Require;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;

/**
 * Makes the policies that have a span for each call and for each attempt, and what belongs to them.
 *
 * <pre>{@code
 * Environment environment = Environment.builder()
 *         .context(Tracing.context())    // the span of the caller is current on every thread of its call
 *         .listener(Tracing.events())    // refusals, repeats and changes of state are events on the span
 *         .build();
 * Tracing tracing = Tracing.of(openTelemetry, environment);
 * Pipeline payments = Pipeline.of(
 *         tracing.calls("payments"), retry, breaker, timeout, tracing.attempts("payments"));
 * }</pre>
 *
 * <p>The spans are of kind {@code INTERNAL}: the client further in, if it is instrumented, makes its own {@code CLIENT}
 * span for each send, as the conventions say, with the attributes of HTTP or a database. They are named as told, and
 * have the attributes
 *
 * <ul>
 *   <li>{@code levee.name}: the name given to {@link #calls} or {@link #attempts};
 *   <li>{@code levee.outcome}: {@code success}, {@code failure}, {@code refused} (by a gate, and nothing has run) or
 *       {@code cancelled} (no more wanted: by the caller, or because another attempt has answered);
 *   <li>{@code error.type}: the class of what it failed with, and then the status is {@code ERROR}. Messages and stack
 *       traces are not recorded, since they may hold what must not leave the process;
 *   <li>{@code levee.attempt}: the number of an attempt, from 1.
 * </ul>
 *
 * <p><b>Every span ends</b>: on a result, an exception, a refusal, a rejecting executor, a timeout; that of an
 * asynchronous call also at once when it is cancelled, whatever its stage does. A blocking attempt that is interrupted,
 * such as the slower one of a hedge, ends its span when it returns.
 *
 * <p>Immutable and thread-safe. Where the context of the caller says that it is not sampled, a call allocates the
 * objects of OpenTelemetry's API all the same. See ADR 124.
 *
 * @since 0.1
 */
public final class Tracing {
    /** The name of the instrumentation scope. */
    static final String SCOPE = "dev.levee";

    private final OpenTelemetry telemetry;
    private final Environment environment;

    private Tracing(OpenTelemetry telemetry, Environment environment) {
        this.telemetry = Require.nonNull("telemetry", telemetry);
        this.environment = Require.nonNull("environment", environment);
    }

    /**
     * Returns what makes policies with spans.
     *
     * @param telemetry the application's
     * @return for pipelines whose policies use {@link Environment#system()}
     * @throws NullPointerException if {@code telemetry} is null
     */
    public static Tracing of(OpenTelemetry telemetry) {
        return of(telemetry, Environment.system());
    }

    /**
     * Returns what makes policies with spans.
     *
     * @param telemetry the application's
     * @param environment that of the other policies; the durations of calls are measured by its clock
     * @return for pipelines of that environment
     * @throws NullPointerException if an argument is null
     */
    public static Tracing of(OpenTelemetry telemetry, Environment environment) {
        return new Tracing(telemetry, environment);
    }

    /**
     * Returns the policy for the outermost place of a pipeline: a span for each call, from the first wait to the last
     * attempt, and its duration in the histogram {@code levee.call.duration} (seconds, with the attributes {@code name}
     * and {@code outcome}), recorded within the span, so that an SDK keeps exemplars that lead to traces.
     *
     * @param name the name of the span, the same for all calls: no key, path or user
     * @return the policy
     * @throws NullPointerException if {@code name} is null
     * @throws IllegalArgumentException if {@code name} is blank
     */
    public Around calls(String name) {
        return new TracedCalls(Require.name(name), name, telemetry, environment, true);
    }

    /**
     * Returns the policy for a place within a retry or a hedge, mostly the innermost: a span for each attempt, named
     * {@code NAME attempt}. Further out, such as right behind the retry, an attempt that a breaker refuses has a span
     * too.
     *
     * @param name the same as that of {@link #calls}
     * @return the policy
     * @throws NullPointerException if {@code name} is null
     * @throws IllegalArgumentException if {@code name} is blank
     */
    public Around attempts(String name) {
        return new TracedCalls(Require.name(name), name + " attempt", telemetry, environment, false);
    }

    /**
     * Returns the carrier of OpenTelemetry's {@link Context}, and with it of the current span and the baggage: for
     * {@link Environment.Builder#context}. Contexts are immutable, so attempts that run at the same time share nothing.
     *
     * @return the carrier
     */
    public static ContextCarrier context() {
        return () -> {
            Context captured = Context.current();
            return () -> scopeOf(captured);
        };
    }

    @SuppressWarnings("MustBeClosedChecker") // by what the carrier is restored for
    private static ContextCarrier.Scope scopeOf(Context captured) {
        Scope scope = captured.makeCurrent();
        return scope::close;
    }

    /**
     * Returns the listener that makes events of what policies publish, on the span that is current then: for
     * {@link Environment.Builder#listener}. They are {@code levee.refused}, {@code levee.attempt} (another one will be
     * made, after {@code levee.delay} seconds), {@code levee.state_change} and {@code levee.degraded} (a fallback has
     * answered), each with {@code levee.policy.kind} and {@code levee.policy.name}. What happens within no call, such
     * as a state that changes by time, has no span and is left out.
     *
     * @return the listener
     */
    public static Listener events() {
        return SpanEvents.INSTANCE;
    }
}

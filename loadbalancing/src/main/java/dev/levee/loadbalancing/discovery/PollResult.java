package dev.levee.loadbalancing.discovery;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The endpoints that a function found, and how long they are valid: what a source returns that knows when to poll next,
 * such as one with a time to live. Immutable; thread-safe.
 *
 * @param <A> the type of the addresses
 * @see EndpointSource#polling(String, java.util.concurrent.Callable, dev.levee.core.Environment)
 * @since 0.1
 */
public final class PollResult<A> {
    private final List<Endpoint<A>> endpoints;
    private final Duration validFor;
    private final @Nullable Throwable problem;

    private PollResult(List<Endpoint<A>> endpoints, Duration validFor, @Nullable Throwable problem) {
        this.endpoints = endpoints;
        this.validFor = validFor;
        this.problem = problem;
    }

    /**
     * Returns a result without a problem.
     *
     * @param endpoints all endpoints; copied. None is a failure: the endpoints of an earlier result stay in use
     * @param validFor the time until the next poll, more than zero
     * @param <A> the type of the addresses
     * @return the result
     * @throws NullPointerException if an argument or an endpoint is null
     * @throws IllegalArgumentException if the duration is not more than zero
     */
    public static <A> PollResult<A> of(Collection<Endpoint<A>> endpoints, Duration validFor) {
        return new PollResult<>(
                List.copyOf(Require.nonNull("endpoints", endpoints)), Require.positive("validFor", validFor), null);
    }

    /**
     * Returns this result with a problem: some of the endpoints may be out of date or missing. The endpoints are
     * published, the source counts as {@code STALE}, and the next poll comes as soon as after a failure.
     *
     * @param cause why
     * @return the result
     * @throws NullPointerException if the cause is null
     */
    public PollResult<A> withProblem(Throwable cause) {
        return new PollResult<>(endpoints, validFor, Require.nonNull("cause", cause));
    }

    /**
     * Returns the endpoints.
     *
     * @return all of them; unmodifiable
     */
    public List<Endpoint<A>> endpoints() {
        return endpoints;
    }

    /**
     * Returns the time until the next poll.
     *
     * @return more than zero
     */
    public Duration validFor() {
        return validFor;
    }

    /**
     * Returns why some of the endpoints may be out of date or missing.
     *
     * @return the cause, or null if there is no problem
     */
    public @Nullable Throwable problem() {
        return problem;
    }

    @Override
    public String toString() {
        return endpoints + " for " + Nanos.text(validFor) + (problem == null ? "" : ", but " + problem);
    }
}

package dev.levee.grpc;

import dev.levee.core.CallContext;
import dev.levee.core.Criticality;
import dev.levee.core.Deadline;
import dev.levee.core.DeadlineExpiredException;
import dev.levee.core.Environment;
import dev.levee.core.Policy;
import dev.levee.core.RefusedException;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.policy.TimedOutException;
import dev.levee.ratelimit.KeyedRateLimiter;
import io.grpc.CallOptions;
import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A server interceptor that admits calls under a policy: rate limits, bulkheads, adaptive concurrency, shedding. A call
 * that is refused is answered with RESOURCE_EXHAUSTED and how long to wait.
 *
 * <pre>{@code
 * Bulkhead concurrent = AdaptiveBulkhead.of("orders", c -> c.outcomes(GrpcOutcomes.rule()));
 * Server server = Grpc.newServerBuilderForPort(50051, credentials)
 *         .addService(orders)
 *         .intercept(GrpcServerGuard.of(concurrent))
 *         .intercept(GrpcServerGuard.limiting(perClient, (call, headers) -> clientOf(headers)))  // asked first
 *         .build();
 * }</pre>
 *
 * <p><b>How long a permit is held.</b> From the arrival of the call, before its first message is read, until it has
 * really ended ({@code onComplete} or {@code onCancel}), whatever its type: a stream that stays open for hours holds a
 * permit for hours, so choose no policy for such methods, or one of their own. A handler that goes on working on other
 * threads after {@code onCancel} is not seen. How it ended is judged by the rule of each gate, the status that it is
 * closed with as an exception, or that of what the handler throws: give gates that learn {@link GrpcOutcomes#rule()}.
 *
 * <p><b>A refusal</b> carries {@code grpc-retry-pushback-ms} and {@code google.rpc.RetryInfo}. A gate that does not
 * know how long to wait, such as a bulkhead that is full, asks for 1 to 1.5 seconds, at random, so that clients do not
 * come back together. The description says no more than that there are too many calls. A call whose deadline has passed
 * is answered with DEADLINE_EXCEEDED, and takes no permit. If choosing the policy throws, the call is answered with
 * UNAVAILABLE, so that a limit is never silently not applied; that is logged at most once a minute.
 *
 * <p><b>A policy that lets calls wait</b>, as a bulkhead with a queue does, holds no thread meanwhile; a call that is
 * cancelled leaves the queue. A policy must run its operation once: a retry or a hedge has no place here. A timeout
 * bounds the deadline that the handler sees, and does not end a handler that has begun.
 *
 * <p><b>Context.</b> The handler runs in a {@link CallContext} with the deadline of the call, and with the criticality
 * that its metadata asks for ({@link Criticality#HEADER}), at most {@link Criticality#CRITICAL}.
 *
 * <p>Thread-safe. See ADR 135.
 *
 * @since 0.1
 */
public final class GrpcServerGuard implements ServerInterceptor {
    private static final Logger LOG = LoggerFactory.getLogger(GrpcServerGuard.class);
    private static final long LOG_EVERY_NANOS = TimeUnit.MINUTES.toNanos(1);

    /** The wait that is asked for when the policy does not know one, at least. */
    private static final long UNKNOWN_WAIT_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final String TOO_MANY = "too many calls, try again later";

    final Environment environment;

    private final BiFunction<? super ServerCall<?, ?>, ? super Metadata, ? extends @Nullable Object> choice;

    /** When a failure was logged last; 0 if never. */
    private final AtomicLong logged = new AtomicLong();

    private GrpcServerGuard(
            BiFunction<? super ServerCall<?, ?>, ? super Metadata, ? extends @Nullable Object> choice,
            Environment environment) {
        this.choice = choice;
        this.environment = Require.nonNull("environment", environment);
    }

    /**
     * Returns an interceptor that admits all calls under one policy.
     *
     * @param policy admits calls; its environment gives time and randomness
     * @return the interceptor
     * @throws NullPointerException if {@code policy} is null
     */
    public static GrpcServerGuard of(Policy policy) {
        return of(policy, Require.nonNull("policy", policy).environment());
    }

    /**
     * Returns an interceptor that admits all calls under one policy.
     *
     * @param policy admits calls
     * @param environment gives time and randomness; of one clock with the policy
     * @return the interceptor
     * @throws NullPointerException if an argument is null
     */
    public static GrpcServerGuard of(Policy policy, Environment environment) {
        Require.nonNull("policy", policy);
        return new GrpcServerGuard((call, headers) -> policy, environment);
    }

    /**
     * Returns an interceptor that admits each call under a policy of its own, such as that of its method or tenant, in
     * {@link Environment#system()}.
     *
     * @param choice returns the policy of a call, or null for none; must not block. Keep policies of keys in a
     *     {@code Keyed}, which is bounded
     * @return the interceptor
     * @throws NullPointerException if {@code choice} is null
     */
    public static GrpcServerGuard choosing(
            BiFunction<? super ServerCall<?, ?>, ? super Metadata, ? extends @Nullable Policy> choice) {
        return choosing(choice, Environment.system());
    }

    /**
     * Returns an interceptor that admits each call under a policy of its own.
     *
     * @param choice returns the policy of a call, or null for none; must not block
     * @param environment gives time and randomness; of one clock with the policies
     * @return the interceptor
     * @throws NullPointerException if an argument is null
     */
    public static GrpcServerGuard choosing(
            BiFunction<? super ServerCall<?, ?>, ? super Metadata, ? extends @Nullable Policy> choice,
            Environment environment) {
        return new GrpcServerGuard(Require.nonNull("choice", choice), environment);
    }

    /**
     * Returns an interceptor that limits the rate of calls of each key, in {@link Environment#system()}. A call costs
     * one permit, whatever becomes of it.
     *
     * @param limiter decides
     * @param key the key of a call, such as the client that was authenticated; must not block. Null for a call that is
     *     not limited
     * @param <K> a key
     * @return the interceptor
     * @throws NullPointerException if an argument is null
     */
    public static <K> GrpcServerGuard limiting(
            KeyedRateLimiter<K> limiter,
            BiFunction<? super ServerCall<?, ?>, ? super Metadata, ? extends @Nullable K> key) {
        return limiting(limiter, key, Environment.system());
    }

    /**
     * Returns an interceptor that limits the rate of calls of each key.
     *
     * @param limiter decides
     * @param key the key of a call; must not block. Null for a call that is not limited
     * @param environment gives time to the handlers' deadlines
     * @param <K> a key
     * @return the interceptor
     * @throws NullPointerException if an argument is null
     */
    public static <K> GrpcServerGuard limiting(
            KeyedRateLimiter<K> limiter,
            BiFunction<? super ServerCall<?, ?>, ? super Metadata, ? extends @Nullable K> key,
            Environment environment) {
        Require.nonNull("limiter", limiter);
        Require.nonNull("key", key);
        return new GrpcServerGuard(
                (call, headers) -> {
                    K of = key.apply(call, headers);
                    return of == null ? null : (Long) limiter.tryAcquireOrWaitNanos(of);
                },
                environment);
    }

    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
        CallContext context = contextOf(headers);
        Deadline deadline = context.deadline();
        if (deadline != null && deadline.isExpired()) { // before a limiter takes a permit for it
            return refuse(call, Status.DEADLINE_EXCEEDED.withDescription("the deadline had passed on arrival"));
        }
        Object chosen;
        try {
            chosen = choice.apply(call, headers);
        } catch (Throwable thrown) {
            logFailure(thrown);
            return refuse(call, Status.UNAVAILABLE.withDescription("the service cannot admit calls now"));
        }
        if (chosen instanceof Long wait && wait > 0) {
            close(call, wait);
            return new ServerCall.Listener<>() {};
        }
        Policy policy = chosen instanceof Policy one ? one : null;
        return new GuardedServerCall<>(this, call, headers, next).begin(context, policy);
    }

    private CallContext contextOf(Metadata headers) {
        CallContext context = CallContext.current();
        Deadline deadline = GrpcDeadlines.of(CallOptions.DEFAULT, Context.current(), environment.clock());
        if (deadline != null) {
            context = context.withDeadline(deadline);
        }
        Iterable<String> values = headers.getAll(GrpcAttempt.CRITICALITY);
        return values == null ? context : context.withCriticality(Criticality.ofHeader(String.join(",", values)));
    }

    private static <Q> ServerCall.Listener<Q> refuse(ServerCall<Q, ?> call, Status status) {
        call.close(status, new Metadata());
        return new ServerCall.Listener<>() {};
    }

    /** Answers a call that was not admitted. */
    void refuse(ServerCall<?, ?> call, Throwable reason) {
        if (reason instanceof DeadlineExpiredException || reason instanceof TimedOutException) {
            call.close(
                    Status.DEADLINE_EXCEEDED.withDescription("the deadline passed before the call began"),
                    new Metadata());
        } else if (reason instanceof RefusedException refused) {
            close(call, refused.retryAfterNanos());
        } else {
            logFailure(reason);
            call.close(Status.UNAVAILABLE.withDescription("the service cannot admit calls now"), new Metadata());
        }
    }

    private void close(ServerCall<?, ?> call, long waitNanos) {
        long wait = waitNanos >= 0
                ? waitNanos
                : UNKNOWN_WAIT_NANOS + (long) (environment.random().nextDouble() * UNKNOWN_WAIT_NANOS / 2);
        Status status = Status.RESOURCE_EXHAUSTED.withDescription(TOO_MANY);
        Metadata trailers = new Metadata();
        RetryDetails.put(trailers, status.getCode().value(), TOO_MANY, wait);
        call.close(status, trailers);
    }

    void logFailure(Throwable thrown) {
        long now = environment.clock().nanoTime() | 1; // never 0, which means never
        long last = logged.get();
        if ((last == 0 || now - last >= LOG_EVERY_NANOS) && logged.compareAndSet(last, now)) {
            SafeLog.warn(
                    LOG,
                    "gRPC server guard: a policy, or what chooses it, failed; such calls are answered with UNAVAILABLE."
                            + " It is logged at most once a minute",
                    thrown);
        }
    }

    @Override
    public String toString() {
        return "GrpcServerGuard";
    }
}

package dev.levee.grpc;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Text;
import dev.levee.core.policy.Timeout;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.MethodDescriptor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A client interceptor that runs unary calls under a policy, most often a pipeline with retry, breaker and timeout, and
 * streams under another one.
 *
 * <pre>{@code
 * CircuitBreaker breaker = CircuitBreaker.of("catalog");
 * Policy guard = Pipeline.of(Retry.of("catalog"), breaker, Timeout.of("catalog", ofMillis(300)));
 * Channel channel = ClientInterceptors.intercept(
 *         managedChannel, GrpcClientGuard.of(guard).withStreams(Pipeline.of(breaker, Bulkhead.of("watches", 100))));
 * }</pre>
 *
 * <p>It serves blocking, future and asynchronous stubs alike: the policy runs as {@link Policy#callAsync} does, and
 * holds no thread while it waits. Each attempt is a call of the channel below. The request is serialized anew for each
 * attempt, so it must not change before the call has ended, and a message that can be read only once must not be
 * repeated.
 *
 * <p><b>What is guarded.</b> Unary calls, from {@code halfClose} to the status of their last attempt. Calls that stream
 * in either direction pass through without a policy, unless {@link #withStreams} gives them one; the deadline of
 * {@code CallContext} holds for them in any case.
 *
 * <p><b>What is repeated.</b> A retry or a hedge in the policy repeats calls of methods that are declared idempotent
 * ({@link MethodDescriptor#isIdempotent}, {@code idempotency_level} in the proto file) or that the predicate names; a
 * call of another method only if it surely was not sent. {@code CallContext.notIdempotent} holds as well. Policies that
 * have no rule of their own judge an attempt by {@link GrpcOutcomes#rule()}; build rules on that one. Whatever the
 * rule, nothing is sent after an attempt that failed when headers of its response had arrived. On a channel with a
 * balancer of {@link dev.levee.grpc.balancing}, attempts go to different subchannels as long as there are some. A
 * channel may repeat calls by itself ({@code retryPolicy} in its service config); an interceptor sees that only when it
 * happens, and warns once, since attempts of both layers multiply: use {@code disableRetry()} there.
 *
 * <p><b>Deadlines.</b> The earliest of {@code CallOptions}, gRPC's {@code Context} and {@code CallContext} bounds all
 * attempts and waits, and each attempt is sent with what is left of it or of a timeout in the policy.
 *
 * <p><b>What the listener gets.</b> Headers, message and status of the attempt that counts, in this order, once, on the
 * executor of {@code CallOptions}, or on that of the environment if there is none. A result that no attempt gave, as of
 * a fallback, comes with empty headers. A refusal is UNAVAILABLE, and DEADLINE_EXCEEDED if it is for the deadline; a
 * timeout is DEADLINE_EXCEEDED; a cancel is CANCELLED; what else a policy throws is UNKNOWN. The exception is the cause
 * of the status. Cancelling the call, or its {@code Context}, ends it at once and cancels what is on its way; permits
 * are held until each attempt has really ended.
 *
 * <p>Attempts after the first carry {@code grpc-previous-rpc-attempts} (gRFC A6), and a {@code CallContext} whose
 * criticality is not the usual one sends it as {@link dev.levee.core.Criticality#HEADER}.
 *
 * <p>Thread-safe. See ADR 133.
 *
 * @since 0.1
 */
public final class GrpcClientGuard implements ClientInterceptor {
    private static final Logger LOG = LoggerFactory.getLogger(GrpcClientGuard.class);

    final Policy policy;
    final Environment environment;
    final String part;

    private final Predicate<? super MethodDescriptor<?, ?>> idempotent;
    private final AtomicBoolean warned = new AtomicBoolean();
    private final @Nullable Policy streams;

    private GrpcClientGuard(
            String part,
            Policy policy,
            @Nullable Policy streams,
            Predicate<? super MethodDescriptor<?, ?>> idempotent,
            Environment environment) {
        this.idempotent = Require.nonNull("idempotent", idempotent);
        this.environment = Require.nonNull("environment", environment);
        this.part = part;
        this.policy = policy;
        this.streams = streams;
    }

    /** The deadline of a call holds whatever the policy does. */
    private static Policy withDeadline(Policy policy, Environment environment) {
        Require.nonNull("environment", environment);
        return Pipeline.of(Timeout.of(policy.name() + "/deadline", Deadline.FOREVER, environment), policy);
    }

    /**
     * Returns an interceptor that repeats only calls of methods that are declared idempotent or safe.
     *
     * @param policy guards each unary call; its environment gives time and threads
     * @return the interceptor
     * @throws NullPointerException if {@code policy} is null
     */
    public static GrpcClientGuard of(Policy policy) {
        return of(policy, method -> false);
    }

    /**
     * Returns an interceptor that repeats only calls of methods that are declared idempotent or safe.
     *
     * @param policy guards each unary call
     * @param environment gives time and threads; of one clock with the policy
     * @return the interceptor
     * @throws NullPointerException if an argument is null
     */
    public static GrpcClientGuard of(Policy policy, Environment environment) {
        return of(policy, method -> false, environment);
    }

    /**
     * Returns an interceptor.
     *
     * @param policy guards each unary call; its environment gives time and threads
     * @param alsoIdempotent which methods may be repeated besides those that are declared idempotent or safe; called
     *     for each call
     * @return the interceptor
     * @throws NullPointerException if an argument is null
     */
    public static GrpcClientGuard of(Policy policy, Predicate<? super MethodDescriptor<?, ?>> alsoIdempotent) {
        return of(policy, alsoIdempotent, Require.nonNull("policy", policy).environment());
    }

    /**
     * Returns an interceptor.
     *
     * @param policy guards each unary call
     * @param alsoIdempotent which methods may be repeated besides those that are declared idempotent or safe; called
     *     for each call
     * @param environment gives time and threads; of one clock with the policy
     * @return the interceptor
     * @throws NullPointerException if an argument is null
     */
    public static GrpcClientGuard of(
            Policy policy, Predicate<? super MethodDescriptor<?, ?>> alsoIdempotent, Environment environment) {
        Require.nonNull("policy", policy);
        String part = "gRPC guard \"" + Text.printable(policy.name()) + "\"";
        return new GrpcClientGuard(part, withDeadline(policy, environment), null, alsoIdempotent, environment);
    }

    /**
     * Returns an interceptor that guards calls which stream as well, in either direction, under a policy of their own:
     * breaker, limiter and bulkhead, seldom more.
     *
     * <p>The policy admits the call when it starts, and what the stub sends before that waits in memory; it learns the
     * outcome from the status. So a permit is held as long as the stream lives, and a timeout in the policy bounds the
     * whole stream. A stream is sent at most once, whatever the policy repeats; what a retry repeats is the wait for
     * gates further in that have refused. A fallback cannot answer a stream. A refusal, a timeout and a cancel reach
     * the listener as those of a unary call do.
     *
     * <p>An iterator of a blocking stub that is neither read to its end nor cancelled keeps its permit until its
     * deadline, as it keeps its stream.
     *
     * @param policy guards each call that streams; of one clock with the environment of this interceptor
     * @return a new interceptor; this one stays as it is
     * @throws NullPointerException if {@code policy} is null
     */
    public GrpcClientGuard withStreams(Policy policy) {
        Require.nonNull("policy", policy);
        return new GrpcClientGuard(part, this.policy, withDeadline(policy, environment), idempotent, environment);
    }

    @Override
    public <Q, R> ClientCall<Q, R> interceptCall(MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
        if (method.getType() == MethodDescriptor.MethodType.UNARY) {
            return new GrpcUnaryCall<>(this, method, options, next);
        }
        Policy guarding = streams;
        return guarding != null
                ? new GrpcStreamCall<>(this, guarding, method, options, next)
                : next.newCall(
                        method,
                        GrpcDeadlines.narrow(options, CallContext.current().deadline()));
    }

    boolean mayRunTwice(MethodDescriptor<?, ?> method) {
        return method.isIdempotent() || method.isSafe() || idempotent.test(method);
    }

    /** Says once that the channel below repeats calls too. */
    void channelRepeats() {
        if (!warned.get() && warned.compareAndSet(false, true)) {
            SafeLog.warn(
                    LOG,
                    "{}: the channel repeats calls too, by the retryPolicy or hedgingPolicy of its service config, so"
                            + " the attempts of both layers multiply: use ManagedChannelBuilder.disableRetry()",
                    part);
        }
    }

    @Override
    public String toString() {
        return "GrpcClientGuard[" + policy + (streams == null ? "" : ", streams " + streams) + "]";
    }
}

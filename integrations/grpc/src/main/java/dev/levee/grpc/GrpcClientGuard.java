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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A client interceptor that runs unary calls under a policy, most often a pipeline with retry, breaker and timeout.
 *
 * <pre>{@code
 * Policy guard = Pipeline.of(
 *         Retry.of("catalog", c -> c.outcomes(GrpcOutcomes.rule())),
 *         CircuitBreaker.of("catalog", c -> c.outcomes(GrpcOutcomes.rule())));
 * Channel channel = ClientInterceptors.intercept(managedChannel, GrpcClientGuard.of(guard));
 * }</pre>
 *
 * <p>It serves blocking, future and asynchronous stubs alike: the policy runs as {@link Policy#callAsync} does, and
 * holds no thread while it waits. Each attempt is a call of the channel below. The request is serialized anew for each
 * attempt, so it must not change before the call has ended, and a message that can be read only once must not be
 * repeated.
 *
 * <p><b>What is guarded.</b> Unary calls, from {@code halfClose} to the status of their last attempt. Calls that stream
 * in either direction pass through without the policy; the deadline of {@code CallContext} holds for them too.
 *
 * <p><b>What is repeated.</b> A retry or a hedge in the policy repeats calls of methods that are declared idempotent
 * ({@link MethodDescriptor#isIdempotent}, {@code idempotency_level} in the proto file) or that the predicate names; a
 * call of another method only if it surely was not sent. {@code CallContext.notIdempotent} holds as well. Policies
 * judge by their own rule: give each {@link GrpcOutcomes#rule()}. Whatever the rule, nothing is sent after an attempt
 * that failed when headers of its response had arrived. On a channel with a balancer of
 * {@link dev.levee.grpc.balancing}, attempts go to different subchannels as long as there are some. A channel may
 * repeat calls by itself ({@code retryPolicy} in its service config); an interceptor sees that only when it happens,
 * and warns once, since attempts of both layers multiply: use {@code disableRetry()} there.
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

    private GrpcClientGuard(
            Policy policy, Predicate<? super MethodDescriptor<?, ?>> idempotent, Environment environment) {
        Require.nonNull("policy", policy);
        this.idempotent = Require.nonNull("idempotent", idempotent);
        this.environment = Require.nonNull("environment", environment);
        this.part = "gRPC guard \"" + Text.printable(policy.name()) + "\"";
        // The deadline of a call holds whatever the policy does.
        this.policy = Pipeline.of(Timeout.of(policy.name() + "/deadline", Deadline.FOREVER, environment), policy);
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
        return new GrpcClientGuard(policy, alsoIdempotent, environment);
    }

    @Override
    public <Q, R> ClientCall<Q, R> interceptCall(MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
        return method.getType() == MethodDescriptor.MethodType.UNARY
                ? new GrpcUnaryCall<>(this, method, options, next)
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
        return "GrpcClientGuard[" + policy + "]";
    }
}

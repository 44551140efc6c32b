package dev.levee.core;

import dev.levee.core.internal.Require;
import java.lang.reflect.Method;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One decision around one call: a retry, a breaker, a limit, or a {@link Pipeline} of several.
 *
 * <p>A policy is built once, shared by all threads, and guards calls of any type. {@link #call} is the form to start with;
 * {@link #callAsync} guards calls that answer with a {@link CompletionStage}, {@link #wrap} a whole client at once. Blocking
 * and asynchronous calls share one state. To write a policy of your own implement {@link Gate} (admits and learns) or
 * {@link Around} (repeats, delays, replaces); a plain {@code Policy} works in a pipeline too and costs one lambda a call.
 *
 * @since 0.1
 */
public interface Policy {
    /** What kind of decision a policy makes; used to print pipelines and to warn about orders that do harm. */
    enum Kind {
        /** Repeats a call. */
        RETRY("retry"),
        /** Bounds how long a call may take. */
        TIMEOUT("timeout"),
        /** Starts a second call when the first is slow. */
        HEDGE("hedge"),
        /** Replaces a failure. */
        FALLBACK("fallback"),
        /** Stops calling what fails. */
        BREAKER("breaker"),
        /** Bounds the rate of calls. */
        LIMITER("limiter"),
        /** Bounds how many calls are in flight. */
        BULKHEAD("bulkhead"),
        /** Makes calls go wrong on purpose. */
        FAULTS("faults"),
        /** Anything else. */
        OTHER("policy");

        private final String label;

        Kind(String label) {
            this.label = label;
        }

        /**
         * The word that pipelines print.
         *
         * @return a noun in lower case
         */
        public String label() {
            return label;
        }
    }

    /**
     * What logs, metrics and refusals call this policy.
     *
     * @return the name that it was built with
     */
    String name();

    /**
     * What kind of decision it makes.
     *
     * @return the kind; {@link Kind#OTHER} unless a policy says better
     */
    default Kind kind() {
        return Kind.OTHER;
    }

    /**
     * Where its time, waiting and randomness come from.
     *
     * @return the environment that it was built with
     */
    default Environment environment() {
        return Environment.system();
    }

    /**
     * Runs an operation under this policy, on the calling thread. Blocks as long as the operation and the policy do.
     *
     * @param operation what to run
     * @param <T> what it returns
     * @param <X> what it throws
     * @return what the operation returned, which may be null
     * @throws X what the operation threw, the same object
     * @throws RefusedException if a gate did not admit the call; the operation did not run then
     */
    <T extends @Nullable Object, X extends Throwable> T call(Operation<T, X> operation) throws X;

    /**
     * Runs an action under this policy; see {@link #call}.
     *
     * @param action what to run
     * @param <X> what it throws
     * @throws X what the action threw, the same object
     */
    default <X extends Throwable> void run(Action<X> action) throws X {
        call(action);
    }

    /**
     * Runs an operation that may be interrupted; see {@link #call}. Where the policy itself waits, an interrupt is thrown as
     * {@code InterruptedException} by this form, and by {@link #call} it restores the flag and ends the wait.
     *
     * @param operation what to run
     * @param <T> what it returns
     * @param <X> what it throws besides {@code InterruptedException}
     * @return what the operation returned, which may be null
     * @throws X what the operation threw, the same object
     * @throws InterruptedException if the thread was interrupted in the operation or while the policy waited
     */
    @SuppressWarnings(
            "unchecked") // an InterruptibleOperation throws X and InterruptedException only, both declared here
    default <T extends @Nullable Object, X extends Throwable> T callInterruptibly(
            InterruptibleOperation<T, X> operation) throws X, InterruptedException {
        return call((Operation<T, X>) (Operation<T, ?>) operation);
    }

    /**
     * Runs an operation that answers later. Never blocks and never throws: what the supplier throws, or a refusal, completes
     * the future.
     *
     * <p>Cancelling the future cancels the stage behind it, a queued wait, a pending delay. A permit is held until the stage
     * has really ended, and a cancelled call is no evidence about the dependency.
     *
     * @param operation starts the work and returns its stage
     * @param <T> what the stage gives
     * @return a future that completes as the stage does, with what the stage failed with, not wrapped
     */
    <T extends @Nullable Object> CompletableFuture<T> callAsync(Supplier<? extends CompletionStage<T>> operation);

    /**
     * Guards every method of a client.
     *
     * <p>The result implements the interface: methods that return {@link CompletionStage} or {@link CompletableFuture} go through
     * {@link #callAsync}, all others through {@link #call}; checked exceptions come through as the client threw them;
     * {@code equals}, {@code hashCode} and {@code toString} are the client's and are not guarded.
     *
     * @param type the interface
     * @param target the client
     * @param <I> the interface
     * @return the guarded client; thread-safe if the client is
     * @throws IllegalArgumentException if {@code type} is not an interface that can be implemented from outside
     */
    default <I> I wrap(Class<I> type, I target) {
        return wrap(type, target, method -> this);
    }

    /**
     * Guards the methods of a client, each with the policy that a function chooses.
     *
     * @param type the interface
     * @param target the client
     * @param choice asked once for each method, here and now; null leaves the method unguarded
     * @param <I> the interface
     * @return the guarded client; thread-safe if the client is
     * @throws IllegalArgumentException if {@code type} is not an interface that can be implemented from outside
     */
    static <I> I wrap(Class<I> type, I target, Function<? super Method, ? extends @Nullable Policy> choice) {
        return GuardedClient.of(type, target, choice);
    }

    /**
     * Guards a supplier.
     *
     * @param supplier what to guard
     * @param <T> what it gives
     * @return a supplier that runs under this policy
     */
    default <T extends @Nullable Object> Supplier<T> decorateSupplier(Supplier<T> supplier) {
        Operation<T, RuntimeException> operation = Require.nonNull("supplier", supplier)::get;
        return () -> call(operation);
    }

    /**
     * Guards a callable.
     *
     * @param callable what to guard
     * @param <T> what it returns
     * @return a callable that runs under this policy
     */
    default <T extends @Nullable Object> Callable<T> decorateCallable(Callable<T> callable) {
        Operation<T, Exception> operation = Require.nonNull("callable", callable)::call;
        return () -> call(operation);
    }

    /**
     * Guards a runnable.
     *
     * @param runnable what to guard
     * @return a runnable that runs under this policy
     */
    default Runnable decorateRunnable(Runnable runnable) {
        Action<RuntimeException> action = Require.nonNull("runnable", runnable)::run;
        return () -> run(action);
    }

    /**
     * Guards a function.
     *
     * @param function what to guard
     * @param <A> its argument
     * @param <T> what it returns
     * @return a function that runs under this policy; one lambda a call
     */
    default <A extends @Nullable Object, T extends @Nullable Object> Function<A, T> decorateFunction(
            Function<A, T> function) {
        Require.nonNull("function", function);
        return argument -> call(() -> function.apply(argument));
    }

    /**
     * Guards a supplier of stages.
     *
     * @param supplier what to guard
     * @param <T> what the stages give
     * @return a supplier whose futures run under this policy; see {@link #callAsync}
     */
    default <T extends @Nullable Object> Supplier<CompletableFuture<T>> decorateStage(
            Supplier<? extends CompletionStage<T>> supplier) {
        Require.nonNull("supplier", supplier);
        return () -> callAsync(supplier);
    }
}

package dev.levee.core;

import dev.levee.core.internal.Require;
import java.lang.reflect.Method;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One decision about one call: a retry, a breaker, a limit, or a {@link Pipeline} of several.
 *
 * <p>A policy is built once, shared by all threads, and guards calls of any type. {@link #call} is the form to start
 * with; {@link #callAsync} guards calls that answer with a {@link CompletionStage}, {@link #wrap} a whole client at
 * once. Blocking and asynchronous calls share one state. To write a policy of your own implement {@link Gate} (admits
 * and learns) or {@link Around} (repeats, delays, replaces); a plain {@code Policy} works in a pipeline too and costs
 * one lambda for each call. See ADR 2.
 *
 * @since 0.1
 */
public interface Policy {
    /**
     * The kind of decision that a policy makes; used in messages and events, to print pipelines, and to warn about
     * harmful orders.
     */
    enum Kind {
        /** Repeats a call. */
        RETRY("retry"),
        /** Bounds how long a call may take. */
        TIMEOUT("timeout"),
        /** Starts a second call when the first is slow. */
        HEDGE("hedge"),
        /** Replaces a failure. */
        FALLBACK("fallback"),
        /** Stops calling a dependency that fails. */
        BREAKER("breaker"),
        /** Bounds the rate of calls. */
        LIMITER("limiter"),
        /** Bounds how many calls are in flight. */
        BULKHEAD("bulkhead"),
        /** Refuses a part of the calls under overload, so that the rest is served. */
        SHEDDER("shedder"),
        /** Throws another exception in place of one. */
        TRANSLATE("translate"),
        /** Injects failures and delays on purpose. */
        FAULTS("faults"),
        /** Counts and times calls, and changes nothing. */
        METER("meter"),
        /** Does once what must not be done twice; no policy, but it has events. */
        IDEMPOTENCY("idempotency"),
        /** Chooses an endpoint for each call; no policy, but it has events, of its endpoints too. */
        BALANCER("balancer"),
        /** Finds endpoints; no policy, but it has events. */
        SOURCE("source"),
        /** Hands items to workers; no policy, but it has events. */
        QUEUE("queue"),
        /** Anything else. */
        OTHER("policy");

        private final String label;

        Kind(String label) {
            this.label = label;
        }

        /**
         * Returns the word that messages and pipelines print.
         *
         * @return a noun in lower case, such as {@code breaker}
         */
        public String label() {
            return label;
        }
    }

    /**
     * Returns the name of this policy in logs, metrics and refusals.
     *
     * @return the name that it was built with
     */
    String name();

    /**
     * Returns the kind of decision that this policy makes.
     *
     * @return the kind; {@link Kind#OTHER} by default
     */
    default Kind kind() {
        return Kind.OTHER;
    }

    /**
     * Returns the environment from which time, waiting and randomness come.
     *
     * @return the environment that it was built with
     */
    default Environment environment() {
        return Environment.system();
    }

    /**
     * Runs an operation under this policy, on the calling thread. Blocks as long as the operation and the policy do.
     *
     * @param operation the operation to run
     * @param <T> what it returns
     * @param <X> what it throws
     * @return what the operation returned, which may be null
     * @throws X what the operation threw, the same object
     * @throws RefusedException if a gate did not admit the call; the operation did not run then, unless
     *     {@link RefusedException#mayHaveRun} says that an earlier attempt may have
     */
    <T extends @Nullable Object, X extends Throwable> T call(Operation<T, X> operation) throws X;

    /**
     * Runs an action under this policy; see {@link #call}.
     *
     * @param action the action to run
     * @param <X> what it throws
     * @throws X what the action threw, the same object
     */
    default <X extends Throwable> void run(Action<X> action) throws X {
        call(action);
    }

    /**
     * Runs an operation that may be interrupted; see {@link #call}. An interrupt that ends a wait of the policy itself
     * is thrown as {@code InterruptedException} by this form; {@link #call} sets the flag again and ends the wait with
     * another exception, such as {@link InterruptedWaitException}.
     *
     * @param operation the operation to run
     * @param <T> what it returns
     * @param <X> what it throws besides {@code InterruptedException}
     * @return what the operation returned, which may be null
     * @throws X what the operation threw, the same object
     * @throws InterruptedException if the thread was interrupted in the operation or while the policy waited
     */
    @SuppressWarnings("unchecked") // it throws X and InterruptedException only, both declared here
    default <T extends @Nullable Object, X extends Throwable> T callInterruptibly(
            InterruptibleOperation<T, X> operation) throws X, InterruptedException {
        return call((Operation<T, X>) (Operation<T, ?>) operation);
    }

    /**
     * Runs an asynchronous operation. Never blocks and never throws: what the supplier throws, or a refusal, completes
     * the future.
     *
     * <p>Cancelling the future cancels the stage behind it, a queued wait, a pending delay; so does a timeout around
     * it. A cancelled call is no evidence about the dependency. A stage that other callers wait for too, such as the
     * load of an asynchronous cache, must not be cancelled for one of them: return {@link CallFuture#shared
     * CallFuture.shared(stage)}.
     *
     * <p><b>How long permits are held.</b> Until the stage has completed. That is the end of the work as far as the
     * stage tells it. A stage of a client that stops its work when it is cancelled tells it; a plain
     * {@code CompletableFuture}, such as that of {@code supplyAsync}, completes the moment it is cancelled, its work
     * goes on, and nothing tells when that ends: the permit is free meanwhile. Where the work must be counted to its
     * end, use {@link #callAsync(Executor, Operation)}, which also interrupts it; or hide the cancel from the stage by
     * {@code supplyAsync(work).minimalCompletionStage()}, and the permit is held until the work has ended by itself.
     *
     * @param operation starts the work and returns its stage
     * @param <T> the result of the stage
     * @return a future that completes as the stage does, with what the stage failed with, not wrapped
     */
    <T extends @Nullable Object> CompletableFuture<T> callAsync(Supplier<? extends CompletionStage<T>> operation);

    /**
     * Runs a blocking operation as an asynchronous call, on an executor. For clients that block, such as JDBC, where
     * the caller must not; not for code that is asynchronous by itself, which needs no thread.
     *
     * <pre>{@code
     * CompletableFuture<Row> row = guard.callAsync(pool, () -> jdbc.find(id));
     * }</pre>
     *
     * <p>Each attempt of the call is a task of the executor, in which the {@link CallContext} of the call is current. A
     * cancel, a timeout or a hedge that is decided interrupts the operation, and only it: the interrupt is never
     * delivered to the next task of the thread. {@code cancel(false)} does not interrupt. Permits are held until the
     * operation has really returned, whatever the future says and even if it ignores its interrupt. An operation that
     * waits for a thread when it is cancelled, or when its time is up, never begins, and that is no evidence about the
     * dependency.
     *
     * <p>Blocks only if the executor runs tasks on the thread that hands them over. An executor that rejects fails the
     * future with {@link ExecutorRejectedException}: a refusal, and the operation did not run.
     *
     * @param executor runs the operation; its size bounds how many run at once
     * @param operation the operation; it may block
     * @param <T> what it returns
     * @return a future that completes with what the operation returned, or failed with, the same object
     * @throws NullPointerException if an argument is null
     */
    default <T extends @Nullable Object> CompletableFuture<T> callAsync(Executor executor, Operation<T, ?> operation) {
        Require.nonNull("executor", executor);
        Require.nonNull("operation", operation);
        return callAsync(() -> {
            try {
                return CallFuture.onExecutor(executor, operation, environment().capture());
            } catch (RejectedExecutionException rejected) {
                throw ExecutorRejectedException.of(this, rejected);
            }
        });
    }

    /**
     * Guards every method of a client, from its start to its end.
     *
     * <p>The result implements the interface. Which form guards a method is decided by what it returns, with the type
     * parameters that the client binds:
     *
     * <ul>
     *   <li>{@link CompletionStage} and {@link CompletableFuture} go through {@link #callAsync}, and are guarded until
     *       the stage ends.
     *   <li>{@link java.util.concurrent.Future} as well; a future that is no stage costs a waiting thread of the
     *       {@link Environment#executor()} until it ends, and cannot be guarded if the executor takes none: it is
     *       cancelled then.
     *   <li>{@code Object}, or a type parameter that is not bound: through {@link #call}, unless what comes is a stage
     *       or future. Then it is guarded to its end too, and the caller gets a {@code CompletableFuture}. The first
     *       call that finds this out asks each policy a second time: once for the blocking call, which counts nowhere
     *       ({@link Verdict#IGNORED}), and once for the stage.
     *   <li>A subclass of {@code CompletableFuture} or {@code Future}, a {@code Flow.Publisher}, a type of a reactive
     *       library or a {@code Call} of OkHttp or Retrofit is refused, because nothing that this method could return
     *       would be guarded to its end.
     *   <li>Everything else goes through {@link #call}, and is guarded until the method returns. Of an
     *       {@code Iterator}, a {@code Stream} or an {@code InputStream} that is what opens it and not what reads it:
     *       read it within the guarded call. The same holds for callbacks, and for futures within other objects.
     * </ul>
     *
     * <p>Checked exceptions come through as the client threw them; one that the method does not declare reaches its
     * caller in an {@link java.lang.reflect.UndeclaredThrowableException}, as with every proxy, and the policies bare.
     * A default method is one call, whatever it calls. {@code equals}, {@code hashCode} and {@code toString} are the
     * client's and are not guarded, nor is {@code close()} of a client that is {@link AutoCloseable}: an open breaker
     * must not keep a connection. See ADR 69.
     *
     * @param type the interface
     * @param target the client
     * @param <I> the interface
     * @return the guarded client; thread-safe if the client is
     * @throws NullPointerException with the name of the argument that is null
     * @throws IllegalArgumentException if {@code type} is not an interface that can be implemented from outside, if a
     *     method cannot be guarded to its end, if a substitute of a fallback does not fit a method, or if a policy
     *     would guard a method twice because the client was wrapped with it already; with the name of the method
     */
    default <I> I wrap(Class<I> type, I target) {
        return wrap(type, target, method -> this);
    }

    /**
     * Guards the methods of a client, each with the policy that a function chooses; see {@link #wrap(Class, Object)}.
     *
     * @param type the interface
     * @param target the client
     * @param choice called by this call, once for each method that can be guarded; null leaves the method unguarded,
     *     whatever it returns
     * @param <I> the interface
     * @return the guarded client; thread-safe if the client is
     * @throws NullPointerException with the name of the argument that is null
     * @throws IllegalArgumentException if {@code type} is not an interface that can be implemented from outside, if a
     *     method that has a policy cannot be guarded to its end, if a substitute of a fallback does not fit a method,
     *     or if a policy would guard a method twice because the client was wrapped with it already; with the name of
     *     the method
     */
    static <I> I wrap(Class<I> type, I target, Function<? super Method, ? extends @Nullable Policy> choice) {
        return GuardedClient.of(type, target, choice);
    }

    /**
     * Guards a supplier.
     *
     * @param supplier the supplier to guard
     * @param <T> the type of its results
     * @return a supplier that runs under this policy
     * @throws NullPointerException if {@code supplier} is null
     */
    default <T extends @Nullable Object> Supplier<T> decorateSupplier(Supplier<T> supplier) {
        Operation<T, RuntimeException> operation = Require.nonNull("supplier", supplier)::get;
        return () -> call(operation);
    }

    /**
     * Guards a callable.
     *
     * @param callable the callable to guard
     * @param <T> what it returns
     * @return a callable that runs under this policy
     * @throws NullPointerException if {@code callable} is null
     */
    default <T extends @Nullable Object> Callable<T> decorateCallable(Callable<T> callable) {
        Operation<T, Exception> operation = Require.nonNull("callable", callable)::call;
        return () -> call(operation);
    }

    /**
     * Guards a runnable.
     *
     * @param runnable the runnable to guard
     * @return a runnable that runs under this policy
     * @throws NullPointerException if {@code runnable} is null
     */
    default Runnable decorateRunnable(Runnable runnable) {
        Action<RuntimeException> action = Require.nonNull("runnable", runnable)::run;
        return () -> run(action);
    }

    /**
     * Guards a function.
     *
     * @param function the function to guard
     * @param <A> its argument
     * @param <T> what it returns
     * @return a function that runs under this policy; costs one lambda for each call
     * @throws NullPointerException if {@code function} is null
     */
    default <A extends @Nullable Object, T extends @Nullable Object> Function<A, T> decorateFunction(
            Function<A, T> function) {
        Require.nonNull("function", function);
        return argument -> call(() -> function.apply(argument));
    }

    /**
     * Guards a supplier of stages.
     *
     * @param supplier the supplier to guard
     * @param <T> the result of the stages
     * @return a supplier whose futures run under this policy; see {@link #callAsync}
     * @throws NullPointerException if {@code supplier} is null
     */
    default <T extends @Nullable Object> Supplier<CompletableFuture<T>> decorateStage(
            Supplier<? extends CompletionStage<T>> supplier) {
        Require.nonNull("supplier", supplier);
        return () -> callAsync(supplier);
    }
}

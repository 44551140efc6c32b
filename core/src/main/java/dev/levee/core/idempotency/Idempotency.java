package dev.levee.core.idempotency;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.Operation;
import dev.levee.core.internal.Require;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs an operation once per key, however often it is called: a repeat gets what was recorded.
 *
 * <pre>{@code
 * Idempotency<Receipt> charges = Idempotency.of("charges", store, c -> c.check(key -> payments.find(key)));
 * Receipt receipt = charges.call(key, digestOf(order), () -> payments.charge(key, order));
 * Receipt again = retry.call(charges.operation(key, digestOf(order), () -> payments.charge(key, order)));
 * }</pre>
 *
 * <p>For work that must not be done twice although it is requested twice: a payment behind an {@code Idempotency-Key},
 * a message that is delivered again. Not for reads (that is a cache), and not needed where the other side knows keys
 * itself and the operation does nothing but call it.
 *
 * <p><b>What a repeat gets.</b> While the operation runs it waits, at most {@link IdempotencyConfig#maxWait()}, or is
 * refused with {@link IdempotencyRefusedException}. Afterwards it gets the result, or the failure if failures of that
 * kind are {@linkplain IdempotencyConfig.Builder#replay replayed}. The same key with another fingerprint is refused
 * with {@link FingerprintMismatchException}, which no retry repeats.
 *
 * <p><b>Unknown outcomes.</b> A timeout, a cancel, an unexpected exception, a crash of the process and a lease that
 * ended all mean the same: perhaps it was done. That is recorded, and nothing is run for the key until the
 * {@linkplain OutcomeCheck check} has found out: either the result, or that the operation can run again. The check runs
 * when the call is repeated, and in the background ({@link IdempotencyConfig.Builder#checkAfter}), one key at a time on
 * the executor of the environment. Without a check the repeats are refused. So no operation runs twice unless the check
 * says so, with three limits, which no library can lift: an operation that runs longer than its lease counts as unknown
 * while it runs; the store drops a key after the time that it keeps it; and with the store in memory a crash loses all
 * keys.
 *
 * <p><b>Order.</b> Retry around idempotency, {@code retry.call(charges.operation(...))}: each attempt finds what the
 * one before has left, and checks when that is unknown. Idempotency around retry, {@code charges.call(key, print, () ->
 * retry.call(...))}: the whole retry is the one operation; because it must not be done twice the operation runs in a
 * context marked as not {@linkplain dev.levee.core.CallContext#idempotent idempotent}, in which a retry repeats only
 * what was not sent for certain. A timeout is placed inside, shorter than the lease.
 *
 * <p>If the store fails before the operation has run the caller gets what the store threw. If it fails afterwards the
 * caller gets what the operation returned; that is logged and counted, and for others the outcome is unknown when the
 * lease ends.
 *
 * <p>Metrics: {@code idempotency.run}, {@code idempotency.replayed}, {@code idempotency.refused},
 * {@code idempotency.unknown}, {@code idempotency.checked}, {@code idempotency.settling} (keys whose outcome waits for
 * the check in the background), {@code idempotency.late} (an operation that ended when another caller had taken over),
 * {@code idempotency.unrecorded} (the store failed afterwards), and those of the store. Thread-safe. Costs two calls of
 * the store and some small objects.
 *
 * @param <T> the type of the results
 * @since 0.1
 */
public interface Idempotency<T extends @Nullable Object> extends Measured {
    /**
     * Keeps keys in memory, at most 100 000, each for a day. They do not survive the process. With the default
     * settings.
     *
     * @param name for logs, metrics and refusals
     * @param <T> the type of the results
     * @return the idempotency
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static <T extends @Nullable Object> Idempotency<T> of(String name) {
        return of(name, Environment.system());
    }

    /**
     * Keeps keys in memory, at most 100 000, each for a day. With the default settings.
     *
     * @param name for logs, metrics and refusals
     * @param environment the source of time, waiting and threads, and the listener for refusals
     * @param <T> the type of the results
     * @return the idempotency
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static <T extends @Nullable Object> Idempotency<T> of(String name, Environment environment) {
        return of(name, config -> {}, environment);
    }

    /**
     * Keeps keys in memory, at most 100 000, each for a day. They do not survive the process.
     *
     * @param name for logs, metrics and refusals
     * @param configure sets what differs from the defaults
     * @param <T> the type of the results
     * @return the idempotency
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character or a setting is out of its range
     */
    static <T extends @Nullable Object> Idempotency<T> of(
            String name, Consumer<? super IdempotencyConfig.Builder<T>> configure) {
        return of(name, configure, Environment.system());
    }

    /**
     * Keeps keys in memory, at most 100 000, each for a day.
     *
     * @param name for logs, metrics and refusals
     * @param configure sets what differs from the defaults
     * @param environment the source of time, waiting and threads, and the listener for refusals
     * @param <T> the type of the results
     * @return the idempotency
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character or a setting is out of its range
     */
    static <T extends @Nullable Object> Idempotency<T> of(
            String name, Consumer<? super IdempotencyConfig.Builder<T>> configure, Environment environment) {
        return of(name, InMemoryIdempotencyStore.of(name, environment), configure, environment);
    }

    /**
     * Keeps keys in memory, at most 100 000, each for a day.
     *
     * @param name for logs, metrics and refusals
     * @param config the settings
     * @param <T> the type of the results
     * @return the idempotency
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static <T extends @Nullable Object> Idempotency<T> of(String name, IdempotencyConfig<T> config) {
        return of(name, config, Environment.system());
    }

    /**
     * Keeps keys in memory, at most 100 000, each for a day.
     *
     * @param name for logs, metrics and refusals
     * @param config the settings
     * @param environment the source of time, waiting and threads, and the listener for refusals
     * @param <T> the type of the results
     * @return the idempotency
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static <T extends @Nullable Object> Idempotency<T> of(
            String name, IdempotencyConfig<T> config, Environment environment) {
        return of(name, InMemoryIdempotencyStore.of(name, environment), config, environment);
    }

    /**
     * Keeps keys in a store, in the machine's time.
     *
     * @param name for logs, metrics and refusals
     * @param store keeps the keys; not shared with another idempotency, unless keys and results are of one kind
     * @param configure sets what differs from the defaults
     * @param <T> the type of the results
     * @return the idempotency
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character or a setting is out of its range
     */
    static <T extends @Nullable Object> Idempotency<T> of(
            String name, IdempotencyStore<T> store, Consumer<? super IdempotencyConfig.Builder<T>> configure) {
        return of(name, store, configure, Environment.system());
    }

    /**
     * Keeps keys in a store.
     *
     * @param name for logs, metrics and refusals
     * @param store keeps the keys; not shared with another idempotency, unless keys and results are of one kind
     * @param configure sets what differs from the defaults
     * @param environment the source of time, waiting and threads, and the listener for refusals
     * @param <T> the type of the results
     * @return the idempotency
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character or a setting is out of its range
     */
    static <T extends @Nullable Object> Idempotency<T> of(
            String name,
            IdempotencyStore<T> store,
            Consumer<? super IdempotencyConfig.Builder<T>> configure,
            Environment environment) {
        IdempotencyConfig<T> config = Require.configured(
                "idempotency", name, IdempotencyConfig.<T>builder(), configure, IdempotencyConfig.Builder<T>::build);
        return of(name, store, config, environment);
    }

    /**
     * Keeps keys in a store, in the machine's time.
     *
     * @param name for logs, metrics and refusals
     * @param store keeps the keys; not shared with another idempotency, unless keys and results are of one kind
     * @param config the settings
     * @param <T> the type of the results
     * @return the idempotency
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static <T extends @Nullable Object> Idempotency<T> of(
            String name, IdempotencyStore<T> store, IdempotencyConfig<T> config) {
        return of(name, store, config, Environment.system());
    }

    /**
     * Keeps keys in a store.
     *
     * @param name for logs, metrics and refusals
     * @param store keeps the keys; not shared with another idempotency, unless keys and results are of one kind
     * @param config the settings
     * @param environment the source of time, waiting and threads, and the listener for refusals
     * @param <T> the type of the results
     * @return the idempotency
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static <T extends @Nullable Object> Idempotency<T> of(
            String name, IdempotencyStore<T> store, IdempotencyConfig<T> config, Environment environment) {
        return new StoredIdempotency<>(name, store, config, environment);
    }

    /**
     * Returns its name in logs, metrics and refusals.
     *
     * @return the name that it was built with
     */
    String name();

    /**
     * Runs an operation unless it has been run for this key. Blocks while the operation, the store or the check do, and
     * while it waits for another call with this key.
     *
     * @param key what must not happen twice: sent by the client, or made of what identifies the request
     * @param fingerprint what distinguishes requests, such as a digest of the body; the same for each repeat
     * @param operation what to run, on this thread
     * @param <X> what it throws
     * @return what it returned, now or before
     * @throws X what it threw, now or before
     * @throws IdempotencyRefusedException if it neither ran nor is known how it ended
     * @throws FingerprintMismatchException if the key was used with another fingerprint
     * @throws dev.levee.core.InterruptedWaitException if the thread was interrupted while it waited; its flag is set
     */
    <X extends Throwable> T call(String key, String fingerprint, Operation<T, X> operation) throws X;

    /**
     * Runs an asynchronous operation, unless it has been run for this key; see {@link #call}. Never throws and holds no
     * thread while it waits. A store or check that may block is called on the executor of the environment.
     *
     * @param key what must not happen twice
     * @param fingerprint what distinguishes requests
     * @param operation starts the work
     * @return completes when the work has ended and that is recorded. A cancel removes the call from those that wait,
     *     or is passed on to the work, whose outcome is recorded when it has really ended; not while other calls of
     *     this process wait for that work: it goes on for them, and ends when the last of them has left
     */
    CompletableFuture<T> callAsync(String key, String fingerprint, Supplier<? extends CompletionStage<T>> operation);

    /**
     * Returns the call for one key as an operation, to be passed to a policy: {@code retry.call(charges.operation(key,
     * print, ...))}.
     *
     * @param key what must not happen twice
     * @param fingerprint what distinguishes requests
     * @param operation what to run
     * @param <X> what it throws
     * @return an operation that does {@link #call} each time it is run
     * @throws NullPointerException if an argument is null
     */
    default <X extends Throwable> Operation<T, X> operation(String key, String fingerprint, Operation<T, X> operation) {
        Require.nonNull("key", key);
        Require.nonNull("fingerprint", fingerprint);
        Require.nonNull("operation", operation);
        return () -> call(key, fingerprint, operation);
    }

    /**
     * Returns the call for one key as an asynchronous operation, to be passed to {@code callAsync} of a policy; see
     * {@link #operation}.
     *
     * @param key what must not happen twice
     * @param fingerprint what distinguishes requests
     * @param operation starts the work
     * @return a supplier that does {@link #callAsync} each time it is called
     * @throws NullPointerException if an argument is null
     */
    default Supplier<CompletableFuture<T>> operationAsync(
            String key, String fingerprint, Supplier<? extends CompletionStage<T>> operation) {
        Require.nonNull("key", key);
        Require.nonNull("fingerprint", fingerprint);
        Require.nonNull("operation", operation);
        return () -> callAsync(key, fingerprint, operation);
    }
}

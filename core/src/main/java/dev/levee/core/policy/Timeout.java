package dev.levee.core.policy;

import dev.levee.core.Around;
import dev.levee.core.CallContext;
import dev.levee.core.Environment;
import dev.levee.core.Measured;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Bounds how long a call may take, and keeps the deadline that comes with it.
 *
 * <p>Put it inside the retry for a bound on each attempt, outside for one on all of them; put the bulkhead inside it,
 * so that a permit is held until the work really ends. The time of a call is what the timeout gives, or what is left
 * until the deadline of {@code CallContext} if that comes first; everything inside sees the earlier of the two as its
 * deadline, so that inner waits end in time. A call that arrives after its deadline does not run:
 * {@link dev.levee.core.DeadlineExpiredException}.
 *
 * <p><b>Blocking.</b> The call runs on the caller's own thread, which is interrupted when the time is up; the interrupt
 * is delivered only while the guarded code runs, and an interrupt from outside is kept (unless it comes while that of
 * the timeout is pending: a thread has one flag for all). The caller gets {@link TimedOutException} when the code has
 * ended, with what it threw suppressed; a result that comes after the time is dropped. <b>What it cannot stop:</b> code
 * that ignores interrupts, such as a loop or socket I/O of the old kind: the caller waits until it ends. Do not use it
 * around file channels, which an interrupt closes, nor around code that catches an interrupt and waits again.
 *
 * <p><b>On an executor</b> ({@link #onExecutor}). The call runs on a thread of the executor, and the caller comes back
 * when the time is up, whatever the code does; the code is interrupted and may continue. Permits inside are held until
 * it really ends. <b>What it cannot stop:</b> the same code. Only the caller is released; a thread of the executor is
 * kept instead.
 *
 * <p><b>Asynchronous.</b> The future fails with {@link TimedOutException} when the time is up, and the stage behind it
 * is cancelled; gates inside keep their permits until the stage has ended ({@link dev.levee.core.Policy#callAsync} says
 * what a stage tells). <b>What it cannot stop:</b> a stage whose work ignores a cancel, as that of
 * {@code CompletableFuture.supplyAsync}; nor the supplier that starts the stage, whose time counts. For blocking code
 * use {@code callAsync} with an executor. What depends on the future runs on the executor of the environment if the
 * time is up.
 *
 * <p><b>Decided by the clock.</b> In every form an outcome that comes when the time is up is a
 * {@link TimedOutException}, however late the timer is. If the call waits at that moment for its turn, in the queue of
 * a bulkhead, a limiter or an executor, it has not begun and never does: the caller gets the refusal of what it waited
 * for, which is no evidence about the dependency and may be repeated.
 *
 * <p>Thread-safe. A blocking call allocates 24 bytes, one whose stage is not complete some 120, and takes a timer that
 * is O(1) to set and to take back. The interrupt or failure comes up to a tick of the timers, about 1 ms, after the
 * time, never before.
 *
 * <p>Metrics: {@code timeout.timed.out} (calls whose time was up), {@code timeout.refused} (calls that arrived after
 * their deadline).
 *
 * @since 0.1
 */
public interface Timeout extends Around, Measured {
    /**
     * Makes a timeout, in {@link Environment#system()}.
     *
     * @param name for logs and {@link TimedOutException}
     * @param timeout more than zero; with {@link dev.levee.core.Deadline#FOREVER} only the deadline of the call counts
     * @return the timeout
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character or the duration not more than
     *     zero
     */
    static Timeout of(String name, Duration timeout) {
        return of(name, timeout, Environment.system());
    }

    /**
     * Makes a timeout.
     *
     * @param name for logs and {@link TimedOutException}
     * @param timeout more than zero; with {@link dev.levee.core.Deadline#FOREVER} only the deadline of the call counts
     * @param environment supplies time and timers
     * @return the timeout
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character or the duration not more than
     *     zero
     */
    static Timeout of(String name, Duration timeout, Environment environment) {
        return new InterruptingTimeout(new TimeLimit(name, timeout), null, environment);
    }

    /**
     * Makes a timeout that is computed for each call, or for each attempt if it stands inside a retry, in
     * {@link Environment#system()}.
     *
     * <pre>{@code
     * Timeout growing = Timeout.computed("search", context -> Duration.ofMillis(200L * context.attempt()));
     * }</pre>
     *
     * @param name for logs and {@link TimedOutException}
     * @param timeout asked on the caller's thread before each call; gives more than zero. The caller gets what it
     *     throws, and for a duration that is null or not more than zero a {@code NullPointerException} or
     *     {@code IllegalArgumentException}; the operation does not run then
     * @return the timeout
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static Timeout computed(String name, Function<? super CallContext, Duration> timeout) {
        return computed(name, timeout, Environment.system());
    }

    /**
     * Makes a timeout that is computed for each call, as {@link #computed(String, Function)} does.
     *
     * @param name for logs and {@link TimedOutException}
     * @param timeout asked on the caller's thread before each call; gives more than zero. The caller gets what it
     *     throws, and for a duration that is null or not more than zero a {@code NullPointerException} or
     *     {@code IllegalArgumentException}; the operation does not run then
     * @param environment supplies time and timers
     * @return the timeout
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static Timeout computed(String name, Function<? super CallContext, Duration> timeout, Environment environment) {
        return new InterruptingTimeout(new TimeLimit(name, timeout), null, environment);
    }

    /**
     * Returns this timeout, with blocking calls run on an executor, for code that ignores interrupts and callers that
     * must not wait for it. Asynchronous calls are not changed.
     *
     * <p>The operation sees the thread-locals and locks of the executor's thread; {@code CallContext} is carried there.
     * An interrupt of the waiting caller is passed on to the operation; the caller gets {@code InterruptedException}
     * from {@code callInterruptibly}, otherwise {@code CancellationException} with the flag set again. If the executor
     * rejects the call, or would run it on the thread of the caller (a direct executor, a full pool whose policy is
     * "caller runs"), that is an {@link dev.levee.core.ExecutorRejectedException}, and nothing has run. Work that has
     * not begun when the time is up never begins: {@link dev.levee.core.DeadlineExpiredException}.
     *
     * @param executor runs the operation on other threads, with a bound of its own: work that cannot be stopped keeps a
     *     thread each
     * @return a timeout with the same name and time
     * @throws NullPointerException if it is null
     */
    Timeout onExecutor(Executor executor);

    /**
     * Returns this timeout, with results that come too late given to a consumer, which closes what they hold: a
     * connection, a response with a body. Each is given away once: a result that comes when the time is up, by the
     * clock and to the nanosecond; one of work that goes on after its caller was released; one of an asynchronous call
     * that was cancelled and ended with a result all the same. Default: it is dropped.
     *
     * @param consumer gets each such result that is not null, on the thread that made it; an exception of it is logged
     * @return a timeout with the same name and time
     * @throws NullPointerException if it is null
     */
    Timeout discard(Consumer<Object> consumer);

    /**
     * Reports {@code timeout.timed.out} (calls whose time was up) and {@code timeout.refused} (calls that arrived after
     * their deadline), both since the start.
     *
     * @param sink receives the metrics on the calling thread
     * @throws NullPointerException if it is null
     */
    @Override
    void measure(Sink sink);

    @Override
    default Kind kind() {
        return Kind.TIMEOUT;
    }
}

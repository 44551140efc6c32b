package dev.levee.core.policy;

import dev.levee.core.Around;
import dev.levee.core.Environment;
import java.time.Duration;

/**
 * Bounds how long a call may take.
 *
 * <p>Put it inside the retry for a bound on each attempt, outside for one on all of them; put the bulkhead inside it, so that a permit
 * is held until the work really ends. It also sets the deadline that {@code CallContext} carries, so that inner waits end in time.
 *
 * <p><b>Blocking.</b> The call runs on the caller's own thread, which is interrupted when the time is up; the interrupt is delivered only
 * while the guarded code runs, and an interrupt that somebody else sent is kept. The caller gets {@link TimedOutException} when the
 * code has ended, with what it threw suppressed; a result that comes after the time is dropped.
 * <b>What it cannot stop:</b> code that ignores interrupts, such as a loop or socket I/O of the old kind: the caller waits until it ends.
 * Do not use it around file channels, which an interrupt closes, nor around code that catches an interrupt and goes on to wait again.
 *
 * <p><b>Asynchronous.</b> The future fails with {@link TimedOutException} when the time is up, and the stage behind it is cancelled; gates
 * inside keep their permits until the stage has really ended.
 *
 * <p>Thread-safe. A call costs a timer and a context.
 *
 * @since 0.1
 */
public interface Timeout extends Around {
    /**
     * A timeout in the machine's time.
     *
     * @param name for logs and {@link TimedOutException}
     * @param timeout more than zero; longer than about 146 years never ends
     * @return the timeout
     * @throws IllegalArgumentException if the name is blank or the duration not more than zero
     */
    static Timeout of(String name, Duration timeout) {
        return of(name, timeout, Environment.system());
    }

    /**
     * A timeout.
     *
     * @param name for logs and {@link TimedOutException}
     * @param timeout more than zero; longer than about 146 years never ends
     * @param environment where time and timers come from
     * @return the timeout
     * @throws IllegalArgumentException if the name is blank or the duration not more than zero
     */
    static Timeout of(String name, Duration timeout, Environment environment) {
        return new InterruptingTimeout(name, timeout, environment);
    }

    @Override
    default Kind kind() {
        return Kind.TIMEOUT;
    }
}

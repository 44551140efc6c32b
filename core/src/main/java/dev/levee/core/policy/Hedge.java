package dev.levee.core.policy;

import dev.levee.core.Around;
import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.internal.Require;
import java.util.function.Consumer;

/**
 * Starts a second attempt when the first is slow, returns the result that comes first and cancels the rest.
 *
 * <p>For reads whose slowest few per cent are much slower than the others, against a dependency that has room for a few
 * per cent more load. Not for calls that are slow because the dependency is overloaded (a hedge makes that worse; the
 * budget bounds how much), and never for calls that must not happen twice: a call that {@code CallContext} marks as not
 * idempotent is run once and not hedged. Say which it guards ({@link HedgeConfig.Builder#idempotent}), or it warns when
 * it is built; see ADR 70. Inside a retry, around everything that counts the single attempt:
 * {@code retry(hedge(breaker(timeout(call))))}. Attempts of several layers do not multiply, see ADR 167.
 *
 * <p><b>When the next attempt starts.</b> After a delay, by default the 95th percentile of recent latencies (Jeffrey
 * Dean and Luiz Barroso, "The Tail at Scale", 2013); at once when an attempt fails in a way that may be repeated. A
 * wait that the dependency asks for is kept, if it fits; after "do not retry", a throttled attempt without a hint, or a
 * refusal, no further attempt is started. None starts after the deadline of the call, nor when the budget is used up.
 * That ends no attempt: those that run continue, and if there are none the call fails at once.
 *
 * <p><b>How it ends.</b> The first success is the result. An {@link Error}, or an outcome that the rule calls
 * {@code IGNORED}, ends the call at once, since another attempt would fare no better. If all attempts fail, the last
 * failure is thrown as it is; a refusal with the others suppressed, and with the answer whether one of them may have
 * run. There is one outcome; whatever still runs is cancelled, and gates further in keep its permits until it has
 * really ended. A result that comes too late goes to {@link HedgeConfig.Builder#discard}.
 *
 * <p><b>Asynchronous.</b> No thread is held. Attempts that a delay starts run on the environment's executor, those that
 * a failure starts on the thread that reported it.
 *
 * <p><b>Blocking.</b> Attempts run on the environment's executor (virtual threads where the JVM has them) and the
 * caller waits, so that it can return as soon as there is a winner; attempts that lose are interrupted, and are no
 * evidence for policies further in, whatever they throw then. What belongs to the caller's thread
 * ({@code ThreadLocal}s) is not seen by the operation, {@code CallContext} is. An interrupt of the caller cancels all
 * attempts and ends the call at once: with {@code InterruptedException} from {@code callInterruptibly}, otherwise with
 * a {@code CancellationException} and the flag set. A caller that is interrupted already runs its operation itself,
 * once.
 *
 * <p>{@code CallContext.current().attempt()} is the number of the attempt. Thread-safe. An asynchronous call whose
 * second attempt does not start costs at most 192 bytes besides its source; a blocking one costs a hand-over to another
 * thread.
 *
 * <p>Events: {@code onAttempt}. Metrics: {@code hedge.fired} (attempts started besides first ones), {@code hedge.won}
 * (calls that one of them won), {@code hedge.refused} (attempts that the budget refused), {@code hedge.delay.nanos}
 * (the delay at present, in nanoseconds), and those of the {@link RetryBudget} if it is the hedge's own.
 *
 * @see <a href="https://doi.org/10.1145/2408776.2408794">The Tail at Scale</a>
 * @since 0.1
 */
public interface Hedge extends Around, Measured {
    /**
     * Makes a hedge of two attempts, the second after the 95th percentile of recent latencies, in
     * {@link Environment#system()}.
     *
     * @param name for logs and metrics
     * @return the hedge
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static Hedge of(String name) {
        return of(name, Environment.system());
    }

    /**
     * Makes a hedge of two attempts, the second after the 95th percentile of recent latencies.
     *
     * @param name for logs and metrics
     * @param environment supplies time, timers and threads
     * @return the hedge
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static Hedge of(String name, Environment environment) {
        return of(name, HedgeConfig.builder().build(), environment);
    }

    /**
     * Makes a hedge in {@link Environment#system()}.
     *
     * @param name for logs and metrics
     * @param configure sets what differs from the defaults
     * @return the hedge
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character or a setting is out of its range
     */
    static Hedge of(String name, Consumer<? super HedgeConfig.Builder> configure) {
        return of(name, configure, Environment.system());
    }

    /**
     * Makes a hedge.
     *
     * @param name for logs and metrics
     * @param configure sets what differs from the defaults
     * @param environment supplies time, timers and threads
     * @return the hedge
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character or a setting is out of its range
     */
    static Hedge of(String name, Consumer<? super HedgeConfig.Builder> configure, Environment environment) {
        HedgeConfig config = Require.configured(
                Kind.HEDGE.label(), name, HedgeConfig.builder(), configure, HedgeConfig.Builder::build);
        return of(name, config, environment);
    }

    /**
     * Makes a hedge in {@link Environment#system()}.
     *
     * @param name for logs and metrics
     * @param config the settings
     * @return the hedge
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static Hedge of(String name, HedgeConfig config) {
        return of(name, config, Environment.system());
    }

    /**
     * Makes a hedge.
     *
     * @param name for logs and metrics
     * @param config the settings
     * @param environment supplies time, timers and threads
     * @return the hedge
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static Hedge of(String name, HedgeConfig config, Environment environment) {
        return new RacingHedge(name, config, environment);
    }

    @Override
    default Kind kind() {
        return Kind.HEDGE;
    }
}

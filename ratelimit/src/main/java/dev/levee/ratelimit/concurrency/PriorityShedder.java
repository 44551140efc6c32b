package dev.levee.ratelimit.concurrency;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.Measured;
import dev.levee.core.internal.Require;
import dev.levee.core.policy.Bulkhead;
import java.util.function.Consumer;

/**
 * Sheds by priority: under a lasting overload of a bulkhead it refuses just as many calls as cannot be served, the
 * least critical first, and within one criticality always those of the same cohorts.
 *
 * <pre>{@code
 * SheddingBulkhead bulkhead = SheddingBulkhead.of("db", 25);
 * PriorityShedder shedder = PriorityShedder.of("front", bulkhead);
 * Pipeline guard = Pipeline.of(shedder, bulkhead);
 * CallContext.current().withCohort(CallContext.cohortOf(tenant)).run(() -> guard.run(this::handle));
 * }</pre>
 *
 * <p>Use it directly outside the bulkhead, where requests arrive, when calls of several criticalities compete for one
 * thing, and when it is better to serve some callers always than each now and then. A queue alone refuses by luck what
 * it cannot hold: a request of five calls then fails in most of its parts.
 *
 * <p><b>How it works.</b> It is armed when the queue of the bulkhead has not been empty, or calls were refused inside
 * for lack of room, for {@link PriorityShedderConfig.Builder#armAfter a second}. From then on a controller sets twice a
 * second which share of the calls to refuse, so that as many are let in as get done and the permits are just in use; a
 * histogram of the priorities that came lately turns the share into a threshold. When it refuses none any more and the
 * queue is empty it is disarmed. No timer runs: calls drive it, and after a pause of ten periods it begins anew.
 *
 * <p>A call is let in by its {@link dev.levee.core.Criticality} and then its cohort
 * ({@link dev.levee.core.CallContext#withCohort}). One without a cohort draws one each time.
 *
 * <p>Thread-safe and lock-free; allocates nothing, and reads the clock once a call. Once a period one call computes the
 * threshold, about 512 steps.
 *
 * <p>Metrics: {@code shedder.refused.share}, {@code shedder.threshold} (the highest rank that is let in, of 128 for
 * each criticality; 512 when all are), {@code shedder.refused}, {@code shedder.armed} (0 or 1). A listener hears
 * {@code onStateChange} between {@code DISARMED} and {@code ARMED}. See ADR 94.
 *
 * @see <a href="https://www.uber.com/blog/pid-controller-for-cinnamon/">Thomsen, Gavrilenko, Nielsen, Smyth: PID
 *     Controller for Cinnamon (Uber Engineering, 2023)</a>
 * @since 0.1
 */
public interface PriorityShedder extends Gate, Measured {
    /**
     * Makes a shedder with the defaults, in the environment of the bulkhead.
     *
     * @param name for logs, metrics and refusals
     * @param bulkhead what is overloaded when it is; to be placed inside this
     * @return the shedder
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static PriorityShedder of(String name, Bulkhead bulkhead) {
        return of(name, bulkhead, Require.nonNull("bulkhead", bulkhead).environment());
    }

    /**
     * Makes a shedder with the defaults.
     *
     * @param name for logs, metrics and refusals
     * @param bulkhead what is overloaded when it is; to be placed inside this
     * @param environment supplies time and randomness
     * @return the shedder
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static PriorityShedder of(String name, Bulkhead bulkhead, Environment environment) {
        return of(name, bulkhead, PriorityShedderConfig.builder().build(), environment);
    }

    /**
     * Makes a shedder.
     *
     * @param name for logs, metrics and refusals
     * @param bulkhead what is overloaded when it is; to be placed inside this
     * @param configure sets what differs from the defaults
     * @param environment supplies time and randomness
     * @return the shedder
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character or a setting is out of its range
     */
    static PriorityShedder of(
            String name,
            Bulkhead bulkhead,
            Consumer<? super PriorityShedderConfig.Builder> configure,
            Environment environment) {
        PriorityShedderConfig config = Require.configured(
                Kind.SHEDDER.label(),
                name,
                PriorityShedderConfig.builder(),
                configure,
                PriorityShedderConfig.Builder::build);
        return of(name, bulkhead, config, environment);
    }

    /**
     * Makes a shedder.
     *
     * @param name for logs, metrics and refusals
     * @param bulkhead what is overloaded when it is; to be placed inside this
     * @param config the settings
     * @param environment supplies time and randomness
     * @return the shedder
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static PriorityShedder of(String name, Bulkhead bulkhead, PriorityShedderConfig config, Environment environment) {
        return new ControlledShedder(name, bulkhead, config, environment);
    }

    @Override
    default Kind kind() {
        return Kind.SHEDDER;
    }

    /**
     * Returns whether there is a lasting overload.
     *
     * @return whether calls may be refused
     */
    boolean isArmed();

    /**
     * Returns which share of the calls is to be refused at present.
     *
     * @return from 0 to 1
     */
    double refusedShare();
}

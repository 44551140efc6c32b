package dev.levee.core.signals;

import dev.levee.core.Around;
import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.histogram.LatencyHistogram;
import dev.levee.core.internal.Require;
import java.util.function.Consumer;

/**
 * Counts and times calls, and changes nothing: the golden signals (traffic, errors, latency, saturation) of what stands
 * inside it.
 *
 * <p>Put it outermost. Then it sees each call as its caller does: with the time in queues and between attempts, after
 * retries and fallbacks, and with the exception that comes out.
 *
 * <pre>{@code
 * CallMeter meter = CallMeter.of("catalog");
 * Pipeline guard = Pipeline.of(meter, Retry.of("catalog"), CircuitBreaker.of("catalog"));
 * }</pre>
 *
 * <p>The four signals are those of B. Beyer et al., "Site Reliability Engineering" (2016), chapter 6.
 *
 * @since 0.1
 */
public interface CallMeter extends Around, Measured {
    /**
     * Makes a meter in {@link Environment#system()}.
     *
     * @param name for metrics and events
     * @return the meter
     * @throws NullPointerException if the name is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static CallMeter of(String name) {
        return of(name, Environment.system());
    }

    /**
     * Makes a meter.
     *
     * @param name for metrics and events
     * @param environment supplies time
     * @return the meter
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static CallMeter of(String name, Environment environment) {
        return of(name, CallMeterConfig.builder().build(), environment);
    }

    /**
     * Makes a meter in {@link Environment#system()}.
     *
     * @param name for metrics and events
     * @param configure sets what differs from the defaults
     * @return the meter
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character or a setting is out of its range
     */
    static CallMeter of(String name, Consumer<? super CallMeterConfig.Builder> configure) {
        return of(name, configure, Environment.system());
    }

    /**
     * Makes a meter.
     *
     * @param name for metrics and events
     * @param configure sets what differs from the defaults
     * @param environment supplies time
     * @return the meter
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character or a setting is out of its range
     */
    static CallMeter of(String name, Consumer<? super CallMeterConfig.Builder> configure, Environment environment) {
        CallMeterConfig config = Require.configured(
                Kind.METER.label(), name, CallMeterConfig.builder(), configure, CallMeterConfig.Builder::build);
        return of(name, config, environment);
    }

    /**
     * Makes a meter in {@link Environment#system()}.
     *
     * @param name for metrics and events
     * @param config the settings
     * @return the meter
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static CallMeter of(String name, CallMeterConfig config) {
        return of(name, config, Environment.system());
    }

    /**
     * Makes a meter.
     *
     * @param name for metrics and events
     * @param config the settings
     * @param environment supplies time
     * @return the meter
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static CallMeter of(String name, CallMeterConfig config, Environment environment) {
        return new StripedCallMeter(name, config, environment);
    }

    @Override
    default Kind kind() {
        return Kind.METER;
    }

    /**
     * Returns how many calls have ended in a way.
     *
     * @param ending the way
     * @return the number since this meter was made; never falls
     * @throws NullPointerException if {@code ending} is null
     */
    long ended(Ending ending);

    /**
     * Returns how many calls are in flight: begun, and their work has not ended yet. It may be a little off while calls
     * begin and end.
     *
     * @return from 0
     */
    long inFlight();

    /**
     * Returns the durations of calls that ended well ({@link Ending#SUCCESS}).
     *
     * @return always the same object
     */
    LatencyHistogram.Source successes();

    /**
     * Returns the durations of calls that failed ({@link Ending#FAILURE}, {@link Ending#THROTTLED} and
     * {@link Ending#NOT_SENT}). They say something else than those of successes: a quick failure must not make a
     * service look fast.
     *
     * @return always the same object
     */
    LatencyHistogram.Source failures();
}

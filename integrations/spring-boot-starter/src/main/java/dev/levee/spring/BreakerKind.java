package dev.levee.spring;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.circuitbreaker.CircuitBreakerConfig;
import dev.levee.core.Policy;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Stops calling a dependency that fails. */
final class BreakerKind extends PolicyKind<CircuitBreakerConfig> {
    /** What does not go with failures in a row. */
    private static final List<String> OF_WINDOWS =
            List.of("count-window", "time-window", "failure-rate", "min-calls", "slow-call-rate", "slow-call-duration");

    BreakerKind() {
        super("breaker", CircuitBreaker.class);
    }

    @Override
    @Nullable CircuitBreakerConfig read(Values values) {
        CircuitBreakerConfig.Builder builder = CircuitBreakerConfig.builder();
        values.instead(List.of("consecutive-failures"), OF_WINDOWS);
        values.instead(List.of("count-window"), List.of("time-window"));
        values.set(
                "failure-rate",
                SettingType.DOUBLE,
                "0.5",
                "The share of calls that must fail for it to open.",
                builder::failureRate);
        values.set(
                "slow-call-rate",
                SettingType.DOUBLE,
                null,
                "The share of calls that must be slow for it to open." + " Default: slow calls do not matter.",
                builder::slowCallRate);
        values.set(
                "slow-call-duration",
                SettingType.TIME_SPAN,
                null,
                "From which duration on a call is slow.",
                builder::slowCallDuration);
        values.set(
                "count-window", SettingType.INT, "100", "How many of the last calls are judged.", builder::countWindow);
        values.set(
                "time-window",
                SettingType.TIME_SPAN,
                null,
                "The calls of which time are judged, instead of a" + " number of calls.",
                builder::timeWindow);
        values.set(
                "consecutive-failures",
                SettingType.INT,
                null,
                "After how many failures in a row it opens, instead" + " of a window.",
                builder::consecutiveFailures);
        values.set(
                "min-calls",
                SettingType.INT,
                "20",
                "How many calls must be in the window before it is judged.",
                builder::minCalls);
        Duration open = values.get("open-for", SettingType.TIME_SPAN, "30s", "How long it stays open.");
        Double multiplier = values.get(
                "open-for-multiplier",
                SettingType.DOUBLE,
                "1",
                "By what the open time grows" + " each time in a row; with open-for-max.");
        Duration max = values.get("open-for-max", SettingType.TIME_SPAN, null, "The longest open time.");
        values.set(
                "open-jitter",
                SettingType.DOUBLE,
                "0",
                "By which share of itself an open time is shorter at most.",
                builder::openJitter);
        values.set(
                "open-for-hint",
                SettingType.TIME_SPAN,
                null,
                "The longest open time that the dependency may ask" + " for. Default: hints are ignored.",
                builder::openForHint);
        values.set(
                "half-open-calls",
                SettingType.INT,
                "5",
                "How many probes a half-open breaker admits.",
                builder::halfOpenCalls);
        values.set(
                "half-open-successes",
                SettingType.INT,
                "0",
                "How many of them must succeed for it to close; 0: the" + " failure rate decides.",
                builder::halfOpenSuccesses);
        values.set(
                "probe-lease",
                SettingType.TIME_SPAN,
                null,
                "How long a probe may take. Default: as long as the" + " open time, at least 30 s.",
                builder::probeLease);
        values.set(
                "expired-probes-fail",
                SettingType.FLAG,
                "true",
                "Whether a probe that takes longer has failed.",
                builder::expiredProbesFail);
        Duration step = values.get("ramp.step", SettingType.TIME_SPAN, null, "How long each share of a ramp lasts.");
        List<Double> shares = values.list(
                "ramp.shares",
                SettingType.DOUBLE,
                "The shares of calls that are admitted" + " after the probes have succeeded, rising.");
        values.set(
                "totals",
                SettingType.FLAG,
                "false",
                "Whether calls are counted by outcome, for metrics.",
                builder::totals);
        outcomes(values, builder::outcomes);
        return values.build(() -> {
            if (max != null || multiplier != null) {
                if (max == null || multiplier == null) {
                    throw new IllegalArgumentException("open-for-multiplier and open-for-max must be set together");
                }
                builder.openFor(open == null ? Duration.ofSeconds(30) : open, multiplier, max);
            } else if (open != null) {
                builder.openFor(open);
            }
            if (step != null || !shares.isEmpty()) {
                if (step == null || shares.isEmpty()) {
                    throw new IllegalArgumentException("ramp.step and ramp.shares must be set together");
                }
                builder.ramp(
                        step, shares.stream().mapToDouble(Double::doubleValue).toArray());
            }
            return builder.build();
        });
    }

    @Override
    Policy make(String name, CircuitBreakerConfig settings, Surroundings around) {
        return CircuitBreaker.of(name, customized(name, settings, around).build(), around.environment());
    }

    private static CircuitBreakerConfig.Builder customized(
            String name, CircuitBreakerConfig settings, Surroundings around) {
        return around.customized(name, CircuitBreakerConfig.Builder.class, settings.toBuilder());
    }

    @Override
    @Nullable String whyFixed(String property) {
        return property.startsWith("outcomes.") || property.equals("totals") ? onlyAtStart() : null;
    }

    @Override
    @Nullable String whyFixed(CircuitBreakerConfig from, CircuitBreakerConfig to) {
        return from.slowCallDuration().isZero() && !to.slowCallDuration().isZero()
                ? "slow-call-duration cannot be added while running, only changed or dropped: it needs a restart"
                : null;
    }

    @Override
    Runnable change(Policy policy, CircuitBreakerConfig to, Surroundings around) {
        CircuitBreaker breaker = (CircuitBreaker) policy;
        CircuitBreakerConfig next = customized(breaker.name(), to, around)
                .outcomes(breaker.config().outcomes())
                .totals(breaker.config().totals())
                .build();
        return () -> breaker.reconfigure(next);
    }
}

package dev.levee.spring;

import dev.levee.core.Policy;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.PacedLimit;
import dev.levee.ratelimit.RateLimiter;
import dev.levee.ratelimit.RateLimiterConfig;
import dev.levee.ratelimit.TokenBucketLimit;
import dev.levee.ratelimit.WarmUpLimit;
import java.time.Duration;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Bounds the rate of calls. */
final class LimiterKind extends PolicyKind<RateLimiterConfig> {
    LimiterKind() {
        super("limiter", RateLimiter.class);
    }

    /** How a rate is bounded. */
    enum Algorithm {
        /** Permits come evenly and are saved up to the burst. */
        TOKEN_BUCKET,
        /** The last window is weighed by how much of it still counts. */
        SLIDING_WINDOW,
        /** Each permit is remembered. */
        SLIDING_LOG,
        /** Windows one after the other, from the first call. */
        FIXED_WINDOW,
        /** The hours, days or months of a time zone. */
        CALENDAR,
        /** One call after the other, evenly. */
        PACED,
        /** A pace that grows while there are calls. */
        WARM_UP
    }

    @Override
    @Nullable RateLimiterConfig read(Values values) {
        RateLimiterConfig.Builder builder = RateLimiterConfig.builder();
        Limit limit = limit(values);
        values.set("totals", SettingType.FLAG, "false", "Whether calls are counted, for metrics.", builder::totals);
        values.set(
                "initial-permits",
                SettingType.LONG,
                null,
                "How many permits are there at first. Default: all.",
                builder::initialPermits);
        values.set(
                "max-debt",
                SettingType.LONG,
                "0",
                "Down to which debt more may be used than was taken.",
                builder::maxDebt);
        Duration wait = values.set(
                "max-wait", SettingType.TIME_SPAN, "0s", "How long a call may wait for its permit.", builder::maxWait);
        if (wait == null || wait.isZero()) {
            values.idle("max-wait", "needs max-wait: without it no call waits", List.of("max-waiting"));
        }
        values.set("max-waiting", SettingType.INT, "100000", "How many calls may wait.", builder::maxWaiting);
        return limit == null ? null : values.build(() -> builder.limit(limit).build());
    }

    private static @Nullable Limit limit(Values values) {
        Algorithm algorithm = values.get(
                "algorithm",
                SettingType.oneOf(Algorithm.class),
                Algorithm.TOKEN_BUCKET,
                "token-bucket",
                "How the rate is bounded.");
        only(values, "token-bucket", algorithm == Algorithm.TOKEN_BUCKET, "burst");
        only(values, "calendar", algorithm == Algorithm.CALENDAR, "calendar-unit", "calendar-zone");
        only(values, "warm-up", algorithm == Algorithm.WARM_UP, "warm-up", "cold-factor");
        boolean paced = algorithm == Algorithm.PACED || algorithm == Algorithm.WARM_UP;
        only(values, "paced or warm-up", paced, "largest");
        if (algorithm == Algorithm.CALENDAR) {
            values.idle(
                    "algorithm", "is not for the algorithm calendar: calendar-unit says in which time", List.of("per"));
        }
        Long permits = values.get("permits", SettingType.LONG, null, "How many calls are admitted per time.");
        Duration perTime = values.get("per", SettingType.TIME_SPAN, "1s", "In which time.");
        Long burst = values.get(
                "burst",
                SettingType.LONG,
                null,
                "How many permits a token bucket saves up. Default: as" + " many as permits.");
        ChronoUnit unit = values.get(
                "calendar-unit",
                SettingType.oneOf(ChronoUnit.class),
                null,
                "The unit of a calendar limit, such as days.");
        ZoneId zone = values.get("calendar-zone", SettingType.ZONE, "UTC", "The time zone of a calendar limit.");
        Duration warmUp = values.get("warm-up", SettingType.TIME_SPAN, null, "How long a warm-up takes.");
        Double coldFactor =
                values.get("cold-factor", SettingType.DOUBLE, "3", "How many times as long a permit takes when cold.");
        Long largest = values.get(
                "largest", SettingType.LONG, null, "How many permits one call of a paced limit or a warm-up may take.");
        if (values.isPartial()) {
            return null;
        }
        if (permits == null) {
            values.missing("permits", "must be set: how many calls are admitted per time");
            return null;
        }
        Duration per = perTime == null ? Duration.ofSeconds(1) : perTime;
        return values.build(() -> switch (algorithm) {
            case TOKEN_BUCKET -> {
                TokenBucketLimit bucket = Limit.of(permits, per);
                yield burst == null ? bucket : bucket.burst(burst);
            }
            case SLIDING_WINDOW -> Limit.slidingWindow(permits, per);
            case SLIDING_LOG -> Limit.slidingLog(permits, per);
            case FIXED_WINDOW -> Limit.fixedWindow(permits, per);
            case CALENDAR ->
                Limit.calendar(permits, given("calendar-unit", unit), zone == null ? ZoneOffset.UTC : zone);
            case PACED -> {
                PacedLimit pace = Limit.paced(permits, per);
                yield largest == null ? pace : pace.largest(largest);
            }
            case WARM_UP -> {
                WarmUpLimit warm = Limit.warmUp(permits, per, given("warm-up", warmUp));
                warm = coldFactor == null ? warm : warm.coldFactor(coldFactor);
                yield largest == null ? warm : warm.largest(largest);
            }
        });
    }

    private static void only(Values values, String algorithm, boolean fits, String... names) {
        if (!fits) {
            values.idle("algorithm", "is only for the algorithm " + algorithm, List.of(names));
        }
    }

    private static <T> T given(String name, @Nullable T value) {
        if (value == null) {
            throw new IllegalArgumentException(name + " must be set");
        }
        return value;
    }

    @Override
    Policy make(String name, RateLimiterConfig settings, Surroundings around) {
        return RateLimiter.of(
                name,
                around.customized(name, RateLimiterConfig.Builder.class, settings.toBuilder())
                        .build(),
                around.environment());
    }

    @Override
    @Nullable String whyFixed(String property) {
        return switch (property) {
            case "totals", "initial-permits", "max-debt", "max-wait", "max-waiting" -> onlyAtStart();
            default -> null;
        };
    }

    @Override
    Runnable change(Policy policy, RateLimiterConfig to, Surroundings around) {
        RateLimiter limiter = (RateLimiter) policy;
        Limit limit = around.customized(limiter.name(), RateLimiterConfig.Builder.class, to.toBuilder())
                .build()
                .limit();
        return () -> limiter.reconfigure(limit);
    }
}

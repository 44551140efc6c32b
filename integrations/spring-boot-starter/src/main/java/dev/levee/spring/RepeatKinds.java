package dev.levee.spring;

import dev.levee.core.Policy;
import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.Hedge;
import dev.levee.core.policy.HedgeConfig;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.RetryBudget;
import dev.levee.core.policy.RetryConfig;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The kinds that repeat calls. */
final class RepeatKinds {
    private RepeatKinds() {}

    /** How delays grow. */
    enum Shape {
        /** The same each time. */
        FIXED,
        /** By the same amount each time. */
        LINEAR,
        /** By the same factor each time. */
        EXPONENTIAL,
        /** As the numbers of Fibonacci. */
        FIBONACCI,
        /** By chance, from the delay before. */
        DECORRELATED
    }

    /** What a policy that repeats was made with. */
    record Repeating<C>(C config, @Nullable BudgetSettings budget) {}

    /** Reads a backoff; null if no property of it is set. */
    static @Nullable Backoff backoff(Values values, String name, Duration initial, Duration max, String standard) {
        Shape shape =
                values.get(name + ".shape", SettingType.oneOf(Shape.class), "exponential", "How the delays grow.");
        if (shape != null && shape != Shape.EXPONENTIAL) {
            values.idle(name + ".shape", "is only for the shape exponential", List.of(name + ".multiplier"));
        }
        if (shape == Shape.FIXED) {
            values.idle(name + ".shape", "is not for the shape fixed: no delay grows", List.of(name + ".max"));
        }
        Duration first = values.get(
                name + ".initial", SettingType.TIME_SPAN, shown(initial), "The first delay, or its bound with jitter.");
        Duration last = values.get(name + ".max", SettingType.TIME_SPAN, shown(max), "The bound of every delay.");
        Double multiplier =
                values.get(name + ".multiplier", SettingType.DOUBLE, "2", "By what an exponential delay grows.");
        Backoff.Jitter jitter = values.get(
                name + ".jitter",
                SettingType.oneOf(Backoff.Jitter.class),
                standard,
                "How much of a delay is drawn by chance.");
        Duration min = values.get(name + ".min", SettingType.TIME_SPAN, null, "The least delay.");
        if (shape == null && first == null && last == null && multiplier == null && jitter == null && min == null) {
            return null;
        }
        boolean fits = fits(shape, jitter);
        if (!fits) {
            String why = shape == Shape.FIXED
                    ? "must not be decorrelated for the shape fixed: such delays grow"
                    : "must be decorrelated, as the shape is";
            values.idle(name + ".shape", why, List.of(name + ".jitter"));
        }
        try {
            Duration from = first == null ? initial : first;
            Duration to = last != null ? last : max.compareTo(from) < 0 ? from : max;
            Backoff backoff = switch (shape == null ? Shape.EXPONENTIAL : shape) {
                case FIXED -> Backoff.fixed(from);
                case LINEAR -> Backoff.linear(from, to);
                case EXPONENTIAL -> Backoff.exponential(from, multiplier == null ? 2 : multiplier, to);
                case FIBONACCI -> Backoff.fibonacci(from, to);
                case DECORRELATED -> Backoff.decorrelated(from, to);
            };
            if (jitter != null && fits) {
                backoff = backoff.withJitter(jitter);
            } else if (standard.equals("equal") && (shape == null || shape == Shape.EXPONENTIAL)) {
                backoff = backoff.withJitter(Backoff.Jitter.EQUAL);
            }
            return min == null ? backoff : backoff.withMin(min);
        } catch (IllegalArgumentException wrong) {
            String message = String.valueOf(wrong.getMessage());
            String place = message.startsWith("max")
                    ? ".max"
                    : message.startsWith("multiplier")
                            ? ".multiplier"
                            : message.startsWith("min") ? ".min" : ".initial";
            values.wrong(name + place, message);
            return null;
        }
    }

    private static boolean fits(@Nullable Shape shape, Backoff.@Nullable Jitter jitter) {
        boolean decorrelated = jitter == Backoff.Jitter.DECORRELATED;
        return shape == Shape.DECORRELATED ? jitter == null || decorrelated : shape != Shape.FIXED || !decorrelated;
    }

    private static String shown(Duration time) {
        return time.toMillis() % 1000 == 0 ? time.toSeconds() + "s" : time.toMillis() + "ms";
    }

    /** Makes calls again. */
    static final class RetryKind extends PolicyKind<Repeating<RetryConfig>> {
        RetryKind() {
            super("retry", Retry.class);
        }

        @Override
        @Nullable Repeating<RetryConfig> read(Values values) {
            RetryConfig.Builder builder = RetryConfig.builder();
            values.set(
                    "max-attempts",
                    SettingType.INT,
                    "3",
                    "How many attempts a call has, the first included.",
                    builder::maxAttempts);
            values.set(
                    "idempotent",
                    SettingType.FLAG,
                    "true",
                    "Whether calls may be done twice; say it, either way.",
                    builder::idempotent);
            values.set(
                    "total-time",
                    SettingType.TIME_SPAN,
                    "forever",
                    "How long all attempts and the waits between" + " them may take.",
                    builder::totalTime);
            Duration hint = values.set(
                    "max-hint",
                    SettingType.TIME_SPAN,
                    "5s",
                    "The longest wait that a dependency or a refusal may" + " ask for.",
                    builder::maxHint);
            if (hint != null && hint.isZero()) {
                values.idle("max-hint", "is not for max-hint: 0s, which keeps no wait", List.of("hint-jitter"));
            }
            values.set(
                    "hint-jitter",
                    SettingType.DOUBLE,
                    "0.25",
                    "By which share of itself a wait that was asked for" + " is longer at most.",
                    builder::hintJitter);
            values.set(
                    "throttled-cost",
                    SettingType.DOUBLE,
                    "2",
                    "What an attempt after one that was throttled takes" + " out of the budget.",
                    builder::throttledCost);
            Backoff backoff = backoff(values, "backoff", Duration.ofMillis(100), Duration.ofSeconds(5), "full");
            if (backoff != null) {
                builder.backoff(backoff);
            }
            Backoff throttled =
                    backoff(values, "throttled-backoff", Duration.ofSeconds(1), Duration.ofSeconds(20), "equal");
            if (throttled != null) {
                builder.throttledBackoff(throttled);
            }
            BudgetSettings budget = BudgetSettings.read(values);
            if (budget != null && budget.unlimited()) {
                values.idle(
                        "budget.unlimited",
                        "is not for budget.unlimited, which takes nothing",
                        List.of("throttled-cost"));
            }
            outcomes(values, builder::outcomes);
            RetryConfig config = values.build(builder::build);
            return config == null ? null : new Repeating<>(config, budget);
        }

        @Override
        Policy make(String name, Repeating<RetryConfig> settings, Surroundings around) {
            BudgetSettings own = settings.budget();
            RetryBudget budget = own == null ? RetryBudget.of(name, around.environment()) : own.make(name, around);
            return new LiveRetry(name, around.environment(), own, budget, retry(name, settings, budget, around));
        }

        @Override
        @Nullable String whyFixed(String property) {
            return null;
        }

        @Override
        Runnable change(Policy policy, Repeating<RetryConfig> to, Surroundings around) {
            LiveRetry live = (LiveRetry) policy;
            BudgetSettings own = to.budget();
            RetryBudget budget = Objects.equals(own, live.budgetSettings())
                    ? live.budget()
                    : own == null ? RetryBudget.of(live.name(), around.environment()) : own.make(live.name(), around);
            Retry next = retry(live.name(), to, budget, around);
            return () -> live.exchange(next, own, budget);
        }

        private static Retry retry(
                String name, Repeating<RetryConfig> settings, RetryBudget budget, Surroundings around) {
            RetryConfig.Builder builder = around.customized(
                    name,
                    RetryConfig.Builder.class,
                    settings.config().toBuilder().budget(budget));
            return Retry.of(name, builder.build(), around.environment());
        }
    }

    /** Starts a second call when the first is slow. */
    static final class HedgeKind extends PolicyKind<Repeating<HedgeConfig>> {
        /** What a delay that is found needs, and a fixed one does not. */
        private static final List<String> FOUND =
                List.of("delay-at-percentile", "min-delay", "max-delay", "min-samples", "window");

        HedgeKind() {
            super("hedge", Hedge.class);
        }

        @Override
        @Nullable Repeating<HedgeConfig> read(Values values) {
            HedgeConfig.Builder builder = HedgeConfig.builder();
            values.set(
                    "max-attempts",
                    SettingType.INT,
                    "2",
                    "How many attempts a call has, the first included.",
                    builder::maxAttempts);
            values.set(
                    "idempotent",
                    SettingType.FLAG,
                    null,
                    "Whether calls may be done twice; must be said.",
                    builder::idempotent);
            values.instead(List.of("delay"), FOUND);
            Duration fixed = values.set(
                    "delay",
                    SettingType.TIME_SPAN,
                    null,
                    "After which time the next attempt starts. Default: found from the latencies.",
                    builder::delay);
            values.set(
                    "delay-at-percentile",
                    SettingType.DOUBLE,
                    "0.95",
                    "Which share of the calls is quicker than the delay.",
                    builder::delayAtPercentile);
            Duration least = values.get("min-delay", SettingType.TIME_SPAN, "1ms", "The least delay that is found.");
            Duration most = values.get("max-delay", SettingType.TIME_SPAN, "1s", "The longest delay that is found.");
            values.set(
                    "min-samples",
                    SettingType.INT,
                    "100",
                    "From how many latencies on the delay is found.",
                    builder::minSamples);
            values.set("window", SettingType.TIME_SPAN, "1m", "How long a latency counts.", builder::window);
            BudgetSettings budget = BudgetSettings.read(values);
            outcomes(values, builder::outcomes);
            if (fixed != null) {
                values.idle("delay", "is only for a delay that is found from the latencies, and delay is set", FOUND);
            }
            HedgeConfig config = values.build(() -> {
                if (least != null || most != null) {
                    Duration from = least == null ? Duration.ofMillis(1) : least;
                    Duration to = most == null ? Duration.ofSeconds(1) : most;
                    if (to.compareTo(from) < 0) {
                        throw new IllegalArgumentException((most == null ? "min-delay" : "max-delay")
                                + " must leave min-delay at most max-delay, but they were " + shown(from) + " and "
                                + shown(to));
                    }
                    builder.delayBetween(from, to);
                }
                return builder.build();
            });
            return config == null ? null : new Repeating<>(config, budget);
        }

        @Override
        Policy make(String name, Repeating<HedgeConfig> settings, Surroundings around) {
            BudgetSettings own = settings.budget();
            RetryBudget budget = own == null ? null : own.make(name, around);
            return new LiveHedge(name, around.environment(), own, budget, hedge(name, settings, budget, around));
        }

        @Override
        @Nullable String whyFixed(String property) {
            return null;
        }

        @Override
        Runnable change(Policy policy, Repeating<HedgeConfig> to, Surroundings around) {
            LiveHedge live = (LiveHedge) policy;
            BudgetSettings own = to.budget();
            RetryBudget budget = Objects.equals(own, live.budgetSettings())
                    ? live.budget()
                    : own == null ? null : own.make(live.name(), around);
            Hedge next = hedge(live.name(), to, budget, around);
            return () -> live.exchange(next, own, budget);
        }

        private static Hedge hedge(
                String name, Repeating<HedgeConfig> settings, @Nullable RetryBudget budget, Surroundings around) {
            HedgeConfig.Builder builder = settings.config().toBuilder();
            if (budget != null) {
                builder.budget(budget);
            }
            return Hedge.of(
                    name,
                    around.customized(name, HedgeConfig.Builder.class, builder).build(),
                    around.environment());
        }
    }
}

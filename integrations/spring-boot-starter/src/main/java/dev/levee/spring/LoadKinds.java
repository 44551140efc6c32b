package dev.levee.spring;

import dev.levee.core.Policy;
import dev.levee.core.policy.Bulkhead;
import dev.levee.ratelimit.concurrency.AdaptiveBulkhead;
import dev.levee.ratelimit.concurrency.AdaptiveBulkheadConfig;
import dev.levee.ratelimit.concurrency.AdaptiveThrottle;
import dev.levee.ratelimit.concurrency.AdaptiveThrottleConfig;
import dev.levee.ratelimit.concurrency.AimdLimit;
import dev.levee.ratelimit.concurrency.ConcurrencyLimit;
import dev.levee.ratelimit.concurrency.Gradient2Limit;
import dev.levee.ratelimit.concurrency.KneeLimit;
import dev.levee.ratelimit.concurrency.PriorityShedder;
import dev.levee.ratelimit.concurrency.PriorityShedderConfig;
import dev.levee.ratelimit.concurrency.SheddingBulkhead;
import dev.levee.ratelimit.concurrency.SheddingBulkheadConfig;
import dev.levee.ratelimit.concurrency.VegasLimit;
import dev.levee.ratelimit.concurrency.WaitControl;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The kinds that adapt to load. */
final class LoadKinds {
    private LoadKinds() {}

    /** How an adaptive limit is found. */
    enum LimitFinding {
        /** At the knee of the throughput. */
        KNEE,
        /** Additive increase, multiplicative decrease. */
        AIMD,
        /** By the length of the queue, as TCP Vegas. */
        VEGAS,
        /** By the ratio of latencies. */
        GRADIENT2
    }

    private static void adaptive(Values values, String prefix, AdaptiveBulkheadConfig.Builder builder) {
        values.set(prefix + "min-limit", SettingType.INT, "2", "The least limit.", builder::minLimit);
        values.set(prefix + "max-limit", SettingType.INT, "1000", "The largest limit.", builder::maxLimit);
        values.set(prefix + "initial-limit", SettingType.INT, "20", "The limit at first.", builder::initialLimit);
        values.set(
                prefix + "held-too-long",
                SettingType.TIME_SPAN,
                "5m",
                "From which age on permits are reported as" + " held too long.",
                builder::heldTooLong);
        LimitFinding finding = values.get(
                prefix + "algorithm",
                SettingType.oneOf(LimitFinding.class),
                LimitFinding.KNEE,
                "knee",
                "How the limit is found.");
        only(values, prefix, "aimd, vegas and gradient2", finding != LimitFinding.KNEE, "window");
        only(
                values,
                prefix,
                "vegas and gradient2",
                finding == LimitFinding.VEGAS || finding == LimitFinding.GRADIENT2,
                "smoothing");
        only(values, prefix, "knee", finding == LimitFinding.KNEE, "max-healthy-latency");
        only(values, prefix, "aimd", finding == LimitFinding.AIMD, "backoff", "timeout");
        only(values, prefix, "vegas", finding == LimitFinding.VEGAS, "alpha", "beta");
        only(values, prefix, "gradient2", finding == LimitFinding.GRADIENT2, "queue-size", "tolerance", "long-window");
        Duration healthy = values.get(
                prefix + "max-healthy-latency",
                SettingType.TIME_SPAN,
                "forever",
                "knee: how long" + " calls may take to be taken for normal.");
        Double backoff =
                values.get(prefix + "backoff", SettingType.DOUBLE, "0.9", "aimd: what the limit is multiplied by.");
        Duration timeout = values.get(
                prefix + "timeout",
                SettingType.TIME_SPAN,
                "5s",
                "aimd: from what latency on a" + " call counts as dropped.");
        Integer alpha = values.get(
                prefix + "alpha", SettingType.INT, "0", "vegas: the lower bound of the queue; 0: by the limit.");
        Integer beta = values.get(
                prefix + "beta", SettingType.INT, "0", "vegas: the upper bound of the queue; 0: by the limit.");
        Integer queue = values.get(
                prefix + "queue-size", SettingType.INT, "4", "gradient2: how many calls are added in each step.");
        Double tolerance = values.get(
                prefix + "tolerance",
                SettingType.DOUBLE,
                "1.5",
                "gradient2: how many times the" + " long-term latency is not yet a reason to shrink.");
        Integer longWindow = values.get(
                prefix + "long-window",
                SettingType.INT,
                "600",
                "gradient2: over how many" + " samples the long-term latency is averaged.");
        Double smoothing = values.get(
                prefix + "smoothing", SettingType.DOUBLE, null, "vegas, gradient2: how much of a step is made.");
        Duration window = values.get(
                prefix + "window",
                SettingType.TIME_SPAN,
                "0s",
                "aimd, vegas, gradient2: how long" + " calls are gathered for one step.");
        values.build(() -> {
            ConcurrencyLimit limit = switch (finding) {
                case KNEE -> {
                    KneeLimit knee = ConcurrencyLimit.knee();
                    yield healthy == null ? knee : knee.maxHealthyLatency(healthy);
                }
                case AIMD -> {
                    AimdLimit aimd = ConcurrencyLimit.aimd();
                    yield new AimdLimit(
                            backoff == null ? aimd.backoff() : backoff,
                            timeout == null ? aimd.timeout() : timeout,
                            window == null ? aimd.window() : window);
                }
                case VEGAS -> {
                    VegasLimit vegas = ConcurrencyLimit.vegas();
                    yield new VegasLimit(
                            alpha == null ? vegas.alpha() : alpha,
                            beta == null ? vegas.beta() : beta,
                            smoothing == null ? vegas.smoothing() : smoothing,
                            window == null ? vegas.window() : window);
                }
                case GRADIENT2 -> {
                    Gradient2Limit gradient = ConcurrencyLimit.gradient2();
                    yield new Gradient2Limit(
                            queue == null ? gradient.queueSize() : queue,
                            smoothing == null ? gradient.smoothing() : smoothing,
                            tolerance == null ? gradient.tolerance() : tolerance,
                            longWindow == null ? gradient.longWindow() : longWindow,
                            window == null ? gradient.window() : window);
                }
            };
            return builder.limit(limit);
        });
    }

    private static void only(Values values, String prefix, String algorithms, boolean fits, String... names) {
        if (!fits) {
            String plural = algorithms.contains(" and ") ? "algorithms " : "algorithm ";
            values.idle(
                    prefix + "algorithm",
                    "is only for the " + plural + algorithms,
                    Arrays.stream(names).map(name -> prefix + name).toList());
        }
    }

    /** Finds by itself how many calls may be in flight. */
    static final class AdaptiveKind extends PolicyKind<AdaptiveBulkheadConfig> {
        AdaptiveKind() {
            super("adaptive-bulkhead", AdaptiveBulkhead.class);
        }

        @Override
        @Nullable AdaptiveBulkheadConfig read(Values values) {
            AdaptiveBulkheadConfig.Builder builder = AdaptiveBulkheadConfig.builder();
            adaptive(values, "", builder);
            Map<String, Double> partitions = values.map(
                    "partitions", SettingType.DOUBLE, "The share of the limit that a partition of this name has.");
            partitions.forEach((name, share) -> {
                try {
                    builder.partition(name, share);
                } catch (IllegalArgumentException wrong) {
                    values.wrong("partitions." + name, String.valueOf(wrong.getMessage()));
                }
            });
            outcomes(values, builder::outcomes);
            return values.build(builder::build);
        }

        @Override
        Policy make(String name, AdaptiveBulkheadConfig settings, Surroundings around) {
            return AdaptiveBulkhead.of(
                    name,
                    around.customized(name, AdaptiveBulkheadConfig.Builder.class, settings.toBuilder())
                            .build(),
                    around.environment());
        }

        @Override
        @Nullable String whyFixed(String property) {
            return property.startsWith("outcomes.") ? onlyAtStart() : null;
        }

        @Override
        @Nullable String whyFixed(AdaptiveBulkheadConfig from, AdaptiveBulkheadConfig to) {
            return from.partitions().keySet().equals(to.partitions().keySet())
                    ? null
                    : "partitions must stay " + from.partitions().keySet() + " while running, only shares can change";
        }

        @Override
        Runnable change(Policy policy, AdaptiveBulkheadConfig to, Surroundings around) {
            AdaptiveBulkhead bulkhead = (AdaptiveBulkhead) policy;
            AdaptiveBulkheadConfig next = around.customized(
                            bulkhead.name(), AdaptiveBulkheadConfig.Builder.class, to.toBuilder())
                    .outcomes(bulkhead.config().outcomes())
                    .build();
            return () -> bulkhead.reconfigure(next);
        }
    }

    /** Sheds the least critical calls of a queue. */
    static final class SheddingKind extends PolicyKind<SheddingBulkheadConfig> {
        /** What only a limit that is found has. */
        private static final List<String> FOUND = found();

        private static List<String> found() {
            Values values = new Values("", List.of(), true, new ArrayList<>());
            adaptive(values, "adaptive.", AdaptiveBulkheadConfig.builder());
            return List.copyOf(values.declared().keySet());
        }

        SheddingKind() {
            super("shedding-bulkhead", SheddingBulkhead.class);
        }

        @Override
        @Nullable SheddingBulkheadConfig read(Values values) {
            SheddingBulkheadConfig.Builder builder = SheddingBulkheadConfig.builder();
            Boolean adapts = values.get(
                    "adaptive.enabled", SettingType.FLAG, "false", "Whether the limit is found instead of fixed.");
            boolean isFound =
                    adapts != null && adapts && values.instead(List.of("adaptive.enabled"), List.of("max-concurrent"));
            if (!isFound && (adapts == null || adapts)) {
                values.idle("adaptive.enabled", "needs adaptive.enabled: without it the limit is fixed", FOUND);
            }
            values.set(
                    "max-concurrent",
                    SettingType.INT,
                    "25",
                    "How many calls may be in flight.",
                    builder::maxConcurrent);
            values.set("max-waiting", SettingType.INT, "100", "How many calls may wait.", builder::maxWaiting);
            values.set("max-wait", SettingType.TIME_SPAN, "forever", "How long a call may wait.", builder::maxWait);
            values.set(
                    "wait-control",
                    SettingType.oneOf(WaitControl.class),
                    "standing-queue",
                    "How waits are kept" + " short.",
                    builder::waitControl);
            values.set(
                    "target",
                    SettingType.TIME_SPAN,
                    "5ms",
                    "How long a call may wait in a standing queue.",
                    builder::target);
            values.set(
                    "interval",
                    SettingType.TIME_SPAN,
                    "100ms",
                    "In which time a queue must have been empty.",
                    builder::interval);
            values.set(
                    "newest-first",
                    SettingType.FLAG,
                    "true",
                    "Whether the newest call goes first in overload.",
                    builder::newestFirst);
            values.set(
                    "refuse-without-time",
                    SettingType.FLAG,
                    "true",
                    "Whether a call is refused at once whose turn" + " comes after its deadline.",
                    builder::refuseWithoutTime);
            AdaptiveBulkheadConfig.Builder found = AdaptiveBulkheadConfig.builder();
            adaptive(values, "adaptive.", found);
            return values.build(() -> {
                AdaptiveBulkheadConfig limit = found.build();
                if (isFound) {
                    builder.adaptive(each -> each.limit(limit.limit())
                            .minLimit(limit.minLimit())
                            .maxLimit(limit.maxLimit())
                            .initialLimit(limit.initialLimit())
                            .heldTooLong(limit.heldTooLong()));
                }
                return builder.build();
            });
        }

        @Override
        Policy make(String name, SheddingBulkheadConfig settings, Surroundings around) {
            return SheddingBulkhead.of(
                    name,
                    around.customized(name, SheddingBulkheadConfig.Builder.class, settings.toBuilder())
                            .build(),
                    around.environment());
        }

        @Override
        @Nullable String whyFixed(String property) {
            boolean live = property.equals("max-concurrent")
                    || (property.startsWith("adaptive.") && !property.equals("adaptive.enabled"));
            return live ? null : onlyAtStart();
        }

        @Override
        Runnable change(Policy policy, SheddingBulkheadConfig to, Surroundings around) {
            SheddingBulkhead bulkhead = (SheddingBulkhead) policy;
            SheddingBulkheadConfig next = around.customized(
                            bulkhead.name(), SheddingBulkheadConfig.Builder.class, to.toBuilder())
                    .build();
            return next.adaptive()
                    .<Runnable>map(found -> () -> bulkhead.reconfigure(found))
                    .orElse(() -> bulkhead.setMaxConcurrent(next.maxConcurrent()));
        }
    }

    /** Refuses a share of the calls while a dependency refuses many. */
    static final class ThrottleKind extends PolicyKind<AdaptiveThrottleConfig> {
        ThrottleKind() {
            super("throttle", AdaptiveThrottle.class);
        }

        @Override
        @Nullable AdaptiveThrottleConfig read(Values values) {
            AdaptiveThrottleConfig.Builder builder = AdaptiveThrottleConfig.builder();
            values.set(
                    "multiplier",
                    SettingType.DOUBLE,
                    "2",
                    "How many times as many calls are made as are accepted.",
                    builder::multiplier);
            values.set("window", SettingType.TIME_SPAN, "2m", "Over which time calls are counted.", builder::window);
            outcomes(values, builder::outcomes);
            return values.build(builder::build);
        }

        @Override
        Policy make(String name, AdaptiveThrottleConfig settings, Surroundings around) {
            return AdaptiveThrottle.of(
                    name,
                    around.customized(name, AdaptiveThrottleConfig.Builder.class, settings.toBuilder())
                            .build(),
                    around.environment());
        }

        @Override
        @Nullable String whyFixed(String property) {
            return onlyAtStart();
        }

        @Override
        Runnable change(Policy policy, AdaptiveThrottleConfig to, Surroundings around) {
            throw new IllegalArgumentException("throttle \"" + policy.name() + "\" " + onlyAtStart());
        }
    }

    /**
     * A shedder in front of a bulkhead.
     *
     * @param bulkhead the name of the bulkhead
     * @param config its settings
     */
    record Shedding(String bulkhead, PriorityShedderConfig config) {}

    /** Refuses the least critical calls while a bulkhead is overloaded. */
    static final class ShedderKind extends PolicyKind<Shedding> {
        ShedderKind() {
            super("shedder", PriorityShedder.class);
        }

        @Override
        @Nullable Shedding read(Values values) {
            PriorityShedderConfig.Builder builder = PriorityShedderConfig.builder();
            values.set("period", SettingType.TIME_SPAN, "500ms", "How often the share is computed.", builder::period);
            values.set("arm-after", SettingType.TIME_SPAN, "1s", "How long an overload must last.", builder::armAfter);
            String bulkhead = values.get(
                    "bulkhead", SettingType.TEXT, null, "The name of the bulkhead further in whose overload counts.");
            if (bulkhead == null) {
                values.missing("bulkhead", "must be set: the name of the bulkhead further in whose overload counts");
                return null;
            }
            PriorityShedderConfig config = values.build(builder::build);
            return config == null ? null : new Shedding(bulkhead, config);
        }

        @Override
        Policy make(String name, Shedding settings, Surroundings around) {
            if (!(around.policy(settings.bulkhead()) instanceof Bulkhead bulkhead)) {
                throw new IllegalArgumentException("bulkhead \"" + settings.bulkhead() + "\" is no bulkhead");
            }
            return PriorityShedder.of(
                    name,
                    bulkhead,
                    around.customized(name, PriorityShedderConfig.Builder.class, settings.config().toBuilder())
                            .build(),
                    around.environment());
        }

        @Override
        @Nullable String whyFixed(String property) {
            return onlyAtStart();
        }

        @Override
        Runnable change(Policy policy, Shedding to, Surroundings around) {
            throw new IllegalArgumentException("shedder \"" + policy.name() + "\" " + onlyAtStart());
        }
    }
}

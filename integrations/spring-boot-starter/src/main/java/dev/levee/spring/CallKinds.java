package dev.levee.spring;

import dev.levee.core.Policy;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.BulkheadConfig;
import dev.levee.core.policy.Fallback;
import dev.levee.core.policy.FallbackConfig;
import dev.levee.core.policy.Fault;
import dev.levee.core.policy.Faults;
import dev.levee.core.policy.Timeout;
import java.lang.reflect.InvocationTargetException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.core.convert.ConversionException;
import org.springframework.core.convert.support.DefaultConversionService;

/** The kinds of core that do not repeat. */
final class CallKinds {
    private CallKinds() {}

    /** Bounds how long a call may take. */
    static final class TimeoutKind extends PolicyKind<Duration> {
        TimeoutKind() {
            super("timeout", Timeout.class);
        }

        @Override
        @Nullable Duration read(Values values) {
            Duration after = values.get(
                    "after", SettingType.TIME_SPAN, null, "How long a call may take, or an attempt inside a retry.");
            if (after == null) {
                values.missing("after", "must be set: how long a call may take, such as 2s");
                return null;
            }
            if (after.isZero() || after.isNegative()) {
                values.wrong("after", "must be more than zero");
                return null;
            }
            return after;
        }

        @Override
        Policy make(String name, Duration settings, Surroundings around) {
            return new LiveTimeout(name, settings, around.environment());
        }

        @Override
        @Nullable String whyFixed(String property) {
            return null;
        }

        @Override
        Runnable change(Policy policy, Duration to, Surroundings around) {
            LiveTimeout live = (LiveTimeout) policy;
            return () -> live.change(to);
        }
    }

    /**
     * A fallback with one fixed answer.
     *
     * @param answer what it answers
     * @param when for which failures; empty for all ordinary ones
     */
    record FallbackAnswer(@Nullable Object answer, List<Class<? extends Throwable>> when) {}

    /** Replaces a failure. */
    static final class FallbackKind extends PolicyKind<FallbackAnswer> {
        FallbackKind() {
            super("fallback", Fallback.class);
        }

        @Override
        @Nullable FallbackAnswer read(Values values) {
            String value = values.get("value", SettingType.TEXT, null, "What a failed call is answered with.");
            String type = values.get(
                    "type", SettingType.TEXT, "java.lang.String", "The class to which the value is converted.");
            Boolean nothing = values.get("nothing", SettingType.FLAG, "false", "Whether the answer is null.");
            List<Class<? extends Throwable>> when = values.list(
                    "when", SettingType.FAILURE, "The exceptions that are replaced. Default: all ordinary ones.");
            if (values.isPartial()) {
                return null;
            }
            if (nothing != null && nothing && values.instead(List.of("nothing"), List.of("value"))) {
                values.idle("nothing", "must not be set, because nothing is true", List.of("value", "type"));
                return new FallbackAnswer(null, when);
            }
            if (value == null) {
                values.missing("value", "must be set: what a failed call is answered with; or nothing: true for null");
                return null;
            }
            Object answer = type == null ? value : converted(values, value, type);
            return answer == null ? null : new FallbackAnswer(answer, when);
        }

        private static @Nullable Object converted(Values values, String value, String type) {
            try {
                ClassLoader loader = Thread.currentThread().getContextClassLoader();
                Class<?> target = Class.forName(type, false, loader);
                Object made = DefaultConversionService.getSharedInstance().convert(value, target);
                if (made == null) { // of an empty text
                    values.wrong("value", "cannot be converted to " + type);
                }
                return made;
            } catch (ClassNotFoundException | LinkageError missing) {
                values.wrong("type", "must be the name of a class on the class path");
            } catch (ConversionException wrong) {
                values.wrong("value", "cannot be converted to " + type);
            }
            return null;
        }

        @Override
        Policy make(String name, FallbackAnswer settings, Surroundings around) {
            return new LiveFallback(name, around.environment(), fallback(name, settings, around));
        }

        private static Fallback fallback(String name, FallbackAnswer settings, Surroundings around) {
            FallbackConfig.Builder builder = FallbackConfig.builder();
            if (settings.when().size() == 1) {
                builder.when(settings.when().get(0));
            } else if (!settings.when().isEmpty()) {
                builder.when(error -> settings.when().stream().anyMatch(type -> type.isInstance(error)));
            }
            around.customized(name, FallbackConfig.Builder.class, builder);
            return Fallback.of(name, builder.thenValue(name, settings.answer()).build(), around.environment());
        }

        @Override
        @Nullable String whyFixed(String property) {
            return null;
        }

        @Override
        Runnable change(Policy policy, FallbackAnswer to, Surroundings around) {
            LiveFallback live = (LiveFallback) policy;
            Fallback next = fallback(live.name(), to, around);
            return () -> live.exchange(next, null);
        }
    }

    /** Bounds how many calls are in flight. */
    static final class BulkheadKind extends PolicyKind<BulkheadConfig> {
        /** What only calls that wait are told. */
        private static final List<String> OF_QUEUE =
                List.of("max-wait", "refuse-without-time", "newest-first-when-late");

        BulkheadKind() {
            super("bulkhead", Bulkhead.class);
        }

        @Override
        @Nullable BulkheadConfig read(Values values) {
            BulkheadConfig.Builder builder = BulkheadConfig.builder();
            values.set(
                    "max-concurrent",
                    SettingType.INT,
                    "25",
                    "How many calls may be in flight.",
                    builder::maxConcurrent);
            values.set(
                    "refuse-without-time",
                    SettingType.FLAG,
                    "true",
                    "Whether a call is refused at once whose turn" + " comes after its deadline.",
                    builder::refuseWithoutTime);
            values.set(
                    "newest-first-when-late",
                    SettingType.FLAG,
                    "true",
                    "Whether the newest call goes first while" + " those that wait are late.",
                    builder::newestFirstWhenLate);
            Integer waiting = values.get("max-waiting", SettingType.INT, "0", "How many calls may wait.");
            Duration wait = values.get("max-wait", SettingType.TIME_SPAN, "forever", "How long a call may wait.");
            if (waiting == null || waiting == 0) {
                values.idle("max-waiting", "needs max-waiting: without it no call waits", OF_QUEUE);
            }
            return values.build(() -> {
                if (waiting != null && waiting != 0) {
                    builder.queue(waiting, wait == null ? dev.levee.core.Deadline.FOREVER : wait);
                }
                return builder.build();
            });
        }

        @Override
        Policy make(String name, BulkheadConfig settings, Surroundings around) {
            return Bulkhead.of(
                    name,
                    around.customized(name, BulkheadConfig.Builder.class, settings.toBuilder())
                            .build(),
                    around.environment());
        }

        @Override
        @Nullable String whyFixed(String property) {
            return property.equals("max-concurrent") ? null : onlyAtStart();
        }

        @Override
        Runnable change(Policy policy, BulkheadConfig to, Surroundings around) {
            Bulkhead bulkhead = (Bulkhead) policy;
            int limit = around.customized(bulkhead.name(), BulkheadConfig.Builder.class, to.toBuilder())
                    .build()
                    .maxConcurrent();
            return () -> bulkhead.setMaxConcurrent(limit);
        }
    }

    /**
     * Faults to be injected.
     *
     * @param seed decides which calls are hit
     * @param faults asked in this order
     */
    record Injected(long seed, List<Fault> faults) {}

    /** Injects failures and delays. */
    static final class FaultsKind extends PolicyKind<Injected> {
        FaultsKind() {
            super("faults", Faults.class);
        }

        @Override
        @Nullable Injected read(Values values) {
            long seed = values.get("seed", SettingType.LONG, 0L, "0", "Decides which calls are hit.");
            List<Fault> faults = new ArrayList<>();
            for (Values each : values.groups("inject")) {
                Fault fault = fault(each);
                if (fault != null) {
                    faults.add(fault);
                }
            }
            if (faults.isEmpty()) {
                values.missing("inject", "must list at least one fault");
            }
            return values.build(() -> new Injected(seed, faults));
        }

        private static @Nullable Fault fault(Values values) {
            Duration latency = values.get("latency", SettingType.TIME_SPAN, null, "How long a call is delayed.");
            Duration most = values.get("max-latency", SettingType.TIME_SPAN, null, "How long at most, if it varies.");
            Class<? extends Throwable> failure = values.get(
                    "failure", SettingType.FAILURE, null, "The exception that a call fails with; it is made anew.");
            Boolean hang = values.get("hang", SettingType.FLAG, "false", "Whether a call never ends.");
            Double rate = values.get("rate", SettingType.DOUBLE, "1", "Which share of the calls is hit, 0 to 1.");
            Duration from = values.get("during.from", SettingType.TIME_SPAN, null, "From when on after switching on.");
            Duration length = values.get("during.length", SettingType.TIME_SPAN, null, "For how long.");
            Duration period = values.get("every.period", SettingType.TIME_SPAN, null, "Again after this time.");
            Duration part = values.get("every.length", SettingType.TIME_SPAN, null, "For how long each time.");
            return values.build(() -> {
                int effects = (latency == null ? 0 : 1) + (failure == null ? 0 : 1) + (hang == null || !hang ? 0 : 1);
                if (effects != 1) {
                    throw new IllegalArgumentException(
                            "a fault of inject must have one of latency, failure and hang: true, but has " + effects);
                }
                if (most != null && latency == null) {
                    throw new IllegalArgumentException("a fault of inject with max-latency must have a latency too");
                }
                Fault fault = latency != null
                        ? most == null ? Fault.latency(latency) : Fault.latency(latency, most)
                        : failure != null ? thrown(failure) : Fault.hang();
                fault = rate == null ? fault : fault.rate(rate);
                fault = from == null && length == null
                        ? fault
                        : fault.during(given("during.from", from), given("during.length", length));
                return period == null && part == null
                        ? fault
                        : fault.every(given("every.period", period), given("every.length", part));
            });
        }

        private static Duration given(String name, @Nullable Duration value) {
            if (value == null) {
                throw new IllegalArgumentException(name + " must be set too");
            }
            return value;
        }

        private static Fault thrown(Class<? extends Throwable> type) {
            make(type);
            return Fault.failure(() -> make(type));
        }

        private static Throwable make(Class<? extends Throwable> type) {
            try {
                try {
                    return type.getConstructor(String.class).newInstance("injected");
                } catch (NoSuchMethodException none) {
                    return type.getConstructor().newInstance();
                }
            } catch (ReflectiveOperationException wrong) {
                Throwable why = wrong instanceof InvocationTargetException thrown ? thrown.getCause() : wrong;
                throw new IllegalArgumentException(
                        "failure must have a public constructor with a text or without arguments, but " + type.getName()
                                + " has none that works: " + why,
                        wrong);
            }
        }

        @Override
        Policy make(String name, Injected settings, Surroundings around) {
            return new LiveFaults(name, around.environment(), faults(name, settings, around));
        }

        private static Faults faults(String name, Injected settings, Surroundings around) {
            return Faults.of(
                    name,
                    settings.seed(),
                    around.environment(),
                    settings.faults().toArray(new Fault[0]));
        }

        @Override
        @Nullable String whyFixed(String property) {
            return null;
        }

        @Override
        Runnable change(Policy policy, Injected to, Surroundings around) {
            LiveFaults live = (LiveFaults) policy;
            if (live.isOn()) {
                throw new IllegalArgumentException("faults cannot be changed while they are switched on");
            }
            Faults next = faults(live.name(), to, around);
            return () -> live.exchange(next, null);
        }
    }
}

package dev.levee.spring;

import dev.levee.core.Policy;
import dev.levee.core.signals.CallMeter;
import dev.levee.core.signals.CallMeterConfig;
import dev.levee.core.signals.Objective;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Counts and times calls. */
final class MeterKind extends PolicyKind<CallMeterConfig> {
    /** Checks values one by one. */
    private static final Objective ANY = Objective.of(0.5);

    /** What an objective has besides its target. */
    private static final List<String> MORE =
            List.of("objective.within", "objective.long-window", "objective.short-window", "objective.burn-rate");

    MeterKind() {
        super("meter", CallMeter.class);
    }

    @Override
    @Nullable CallMeterConfig read(Values values) {
        CallMeterConfig.Builder builder = CallMeterConfig.builder();
        Objective target = values.get(
                "objective.target",
                SettingType.DOUBLE.map(Objective::of),
                null,
                "The share of calls that are to be good, such as 0.999.");
        Duration within =
                values.get("objective.within", SettingType.TIME_SPAN, null, "How long a good call takes at most.");
        Duration longWindow = values.get(
                "objective.long-window", SettingType.TIME_SPAN, "1h", "The window that tells that it matters.");
        Duration shortWindow = values.get(
                "objective.short-window", SettingType.TIME_SPAN, "5m", "The window that tells that it goes on.");
        Double burnRate = values.get(
                "objective.burn-rate",
                SettingType.DOUBLE.map(MeterKind::checked),
                "14.4",
                "How many times as fast as allowed the error budget burns before it is told.");
        outcomes(values, builder::outcomes);
        if (target == null && MORE.stream().anyMatch(values::isNearest)) {
            values.missing("objective.target", "must be set: the share of calls that are to be good, such as 0.999");
        } else if (target == null && !values.isSet("objective.target")) {
            values.idle("objective.target", "needs objective.target: without it there is no objective", MORE);
        }
        return values.build(() -> {
            if (target != null) {
                Objective objective = within == null ? target : target.within(within);
                objective = objective.windows(
                        longWindow == null ? target.longWindow() : longWindow,
                        shortWindow == null ? target.shortWindow() : shortWindow);
                builder.objective(burnRate == null ? objective : objective.burnRate(burnRate));
            }
            return builder.build();
        });
    }

    private static Double checked(Double rate) {
        return ANY.burnRate(rate).burnRate();
    }

    @Override
    Policy make(String name, CallMeterConfig settings, Surroundings around) {
        CallMeterConfig.Builder builder = around.customized(name, CallMeterConfig.Builder.class, settings.toBuilder());
        return CallMeter.of(name, builder.build(), around.environment());
    }

    @Override
    String whyFixed(String property) {
        return onlyAtStart();
    }

    @Override
    Runnable change(Policy policy, CallMeterConfig to, Surroundings around) {
        throw new IllegalArgumentException("meter \"" + policy.name() + "\" " + onlyAtStart());
    }
}

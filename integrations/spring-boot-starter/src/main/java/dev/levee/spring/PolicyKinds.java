package dev.levee.spring;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** All kinds of policies that the configuration can name, by their word. */
final class PolicyKinds {
    static final Map<String, PolicyKind<?>> BY_LABEL = byLabel(List.of(
            new MeterKind(),
            new CallKinds.FallbackKind(),
            new RepeatKinds.RetryKind(),
            new RepeatKinds.HedgeKind(),
            new BreakerKind(),
            new LimiterKind(),
            new LoadKinds.ThrottleKind(),
            new LoadKinds.ShedderKind(),
            new CallKinds.TimeoutKind(),
            new CallKinds.BulkheadKind(),
            new LoadKinds.AdaptiveKind(),
            new LoadKinds.SheddingKind(),
            new CallKinds.FaultsKind()));

    private PolicyKinds() {}

    private static Map<String, PolicyKind<?>> byLabel(List<PolicyKind<?>> kinds) {
        Map<String, PolicyKind<?>> map = new LinkedHashMap<>();
        kinds.forEach(kind -> map.put(kind.label(), kind));
        return map;
    }
}

package dev.levee.core;

import dev.levee.core.Policy.Kind;
import dev.levee.core.internal.Text;
import dev.levee.core.internal.WarnedSubjects;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The orders of policies that do harm; warns about each pair of names once. See ADR 9, and ADR 8 for pipelines. */
enum HarmfulOrder {
    BULKHEAD_AROUND_TIMEOUT(
            Kind.BULKHEAD,
            Kind.TIMEOUT,
            "the permit is free at the timeout while the work may still run; put the bulkhead inside the timeout"),
    BREAKER_AROUND_FALLBACK(
            Kind.BREAKER,
            Kind.FALLBACK,
            "the breaker sees the substitute and never the failure; put the fallback outside the breaker"),
    RETRY_AROUND_FALLBACK(
            Kind.RETRY,
            Kind.FALLBACK,
            "the retry sees the substitute and never repeats; put the fallback outside the retry"),
    RETRY_AROUND_RETRY(
            Kind.RETRY,
            Kind.RETRY,
            "attempts must not multiply, so the inner retry repeats only what the outer one does not; keep one, or give"
                    + " each failures of its own"),
    HEDGE_AROUND_RETRY(
            Kind.HEDGE,
            Kind.RETRY,
            "the hedge repeats the call already, so the retry inside it never does; put the retry outside the hedge");

    private static final Logger LOG = LoggerFactory.getLogger(Pipeline.class);

    private static final WarnedSubjects WARNED = new WarnedSubjects();

    private final Kind outer;
    private final Kind inner;
    private final String reason;

    HarmfulOrder(Kind outer, Kind inner, String reason) {
        this.outer = outer;
        this.inner = inner;
        this.reason = reason;
    }

    static void warn(List<Policy> policies) {
        for (int i = 0; i < policies.size(); i++) {
            for (int j = i + 1; j < policies.size(); j++) {
                for (HarmfulOrder order : values()) {
                    order.warnIfMet(policies.get(i), policies.get(j));
                }
            }
        }
    }

    private void warnIfMet(Policy outside, Policy inside) {
        if (outside.kind() != outer || inside.kind() != inner) {
            return;
        }
        if (WARNED.add(name() + '\n' + outside.name() + '\n' + inside.name())) {
            LOG.warn(
                    "Harmful order {}({}): {} \"{}\" stands around {} \"{}\": {}",
                    outer.label(),
                    inner.label(),
                    outer.label(),
                    Text.printable(outside.name()),
                    inner.label(),
                    Text.printable(inside.name()),
                    reason);
        }
    }
}

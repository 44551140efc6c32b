package dev.levee.core;

import dev.levee.core.Policy.Kind;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Text;
import dev.levee.core.internal.WarnedSubjects;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The orders of policies that do harm; warns about each group of names once. See ADR 9, and ADR 8 for pipelines. */
enum HarmfulOrder {
    BULKHEAD_AROUND_TIMEOUT(
            "the permit is free at the timeout while the work may still run; put the bulkhead inside the timeout",
            Kind.BULKHEAD,
            Kind.TIMEOUT),
    BREAKER_AROUND_TIMEOUT_AROUND_QUEUE(
            "the time that a call waits for its turn is taken from the timeout, and the breaker counts what the timeout"
                    + " cuts off against the dependency, however fast that is; give the bulkhead no queue, or put both"
                    + " inside the timeout",
            Kind.BREAKER,
            Kind.TIMEOUT,
            Kind.BULKHEAD) {
        @Override
        boolean isMetBy(Policy innermost) {
            return innermost instanceof WaitingGate gate && gate.mayWait();
        }
    },
    BREAKER_AROUND_FALLBACK(
            "the breaker sees the substitute and never the failure; put the fallback outside the breaker",
            Kind.BREAKER,
            Kind.FALLBACK),
    RETRY_AROUND_FALLBACK(
            "the retry sees the substitute and never repeats; put the fallback outside the retry",
            Kind.RETRY,
            Kind.FALLBACK),
    RETRY_AROUND_RETRY(
            "attempts must not multiply, so the inner retry repeats only what the outer one does not; keep one, or give"
                    + " each failures of its own",
            Kind.RETRY,
            Kind.RETRY),
    HEDGE_AROUND_RETRY(
            "attempts must not multiply, so the retry repeats only what the hedge does not; put the retry outside the"
                    + " hedge",
            Kind.HEDGE,
            Kind.RETRY);

    private static final Logger LOG = LoggerFactory.getLogger(Pipeline.class);

    private static final WarnedSubjects WARNED = new WarnedSubjects();

    private final String reason;

    @SuppressWarnings("ImmutableEnumChecker") // made by List.of
    private final List<Kind> kinds;

    HarmfulOrder(String reason, Kind... kinds) {
        this.reason = reason;
        this.kinds = List.of(kinds);
    }

    static void warn(List<Policy> policies) {
        for (HarmfulOrder order : values()) {
            order.warnIfMet(policies, 0, List.of());
        }
    }

    /** Whether the order does harm with this policy as the innermost of it; its kind is right. */
    boolean isMetBy(Policy innermost) {
        return true;
    }

    /** Looks for the next kind of this order from a position on; those outside of it were found. */
    private void warnIfMet(List<Policy> policies, int from, List<Policy> found) {
        if (found.size() == kinds.size()) {
            if (isMetBy(found.get(found.size() - 1))) {
                warnOnce(found);
            }
            return;
        }
        for (int i = from; i < policies.size(); i++) {
            if (policies.get(i).kind() == kinds.get(found.size())) {
                List<Policy> more = new ArrayList<>(found);
                more.add(policies.get(i));
                warnIfMet(policies, i + 1, more);
            }
        }
    }

    private void warnOnce(List<Policy> found) {
        if (WARNED.add(name() + '\n' + found.stream().map(Policy::name).collect(Collectors.joining("\n")))) {
            SafeLog.warn(
                    LOG,
                    "Harmful order {}{}: {}: {}",
                    kinds.stream().map(Kind::label).collect(Collectors.joining("(")),
                    ")".repeat(kinds.size() - 1),
                    found.stream()
                            .map(policy -> policy.kind().label() + " \"" + Text.printable(policy.name()) + '"')
                            .collect(Collectors.joining(" stands around ")),
                    reason);
        }
    }
}

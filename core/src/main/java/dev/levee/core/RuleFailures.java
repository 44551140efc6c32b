package dev.levee.core;

import dev.levee.core.internal.SafeLog;
import java.util.Collections;
import java.util.Set;
import java.util.WeakHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs what outcome rules throw, once for each rule, because they are asked about every call. See ADR 7. */
final class RuleFailures {
    private static final Logger LOG = LoggerFactory.getLogger(OutcomeRule.class);
    private static final Set<OutcomeRule> LOGGED =
            Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));

    private RuleFailures() {}

    /**
     * Logs a failure of a rule, unless one of this rule has been logged. An interrupt is kept.
     *
     * @param consequence what happens in place of what the rule would have said
     */
    static void log(OutcomeRule rule, String consequence, Throwable thrown) {
        if (thrown instanceof InterruptedException) {
            Thread.currentThread().interrupt();
        }
        if (isFirst(rule)) {
            SafeLog.warn(
                    LOG,
                    "Outcome rule {} threw; {}. Further failures of this rule are not logged",
                    rule,
                    consequence,
                    thrown);
        }
    }

    private static boolean isFirst(OutcomeRule rule) {
        try {
            return LOGGED.add(rule);
        } catch (RuntimeException | Error thrown) { // equals or hashCode of a rule, which is user code
            return true;
        }
    }
}
